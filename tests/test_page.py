"""The page, in a real browser: what is typed is cleaned, nothing is asked of anybody else."""

import json
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage"):
    pytest.importorskip(needed)

from serving import KEY, NOTE, started  # noqa: E402

from scrubjay.serve import page as served  # noqa: E402

AXE = Path(__file__).parent.parent / "web/node_modules/axe-core/axe.min.js"
HELD = "scrubjay-keys"  # where a tab keeps them
VIEWS = ("text", "batch", "review", "trust", "live")
SIZE = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service as people start it, with the keys that it printed."""
    home = tmp_path_factory.mktemp("page")
    with started("--profile", "patterns", "--processes", "1", home=home) as (client, process):
        printed = (process.stderr.readline().split() for _ in range(2))
        keys = {words[3].strip("',"): words[-1] for words in printed}
        yield SimpleNamespace(client=client, address=str(client.base_url), keys=keys)


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium")
    if not path:
        pytest.skip("no Chromium is here")
    with api.sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture
def tab(browser, service):
    """A tab with all keys. What it asked of others, and what its browser complained of, must be
    nothing in the end."""
    context = browser.new_context(viewport=SIZE, base_url=service.address)
    held = json.dumps(json.dumps([KEY, *service.keys.values()]))
    context.add_init_script(f"sessionStorage['{HELD}'] ??= {held}")
    one, wrong = context.new_page(), []
    one.set_default_timeout(10_000)
    one.on(
        "request", lambda asked: elsewhere(asked.url, service.address) and wrong.append(asked.url)
    )
    one.on("pageerror", lambda error: wrong.append(error.message))
    one.on("console", lambda said: complains(said) and wrong.append(said.text))
    one.goto("/")
    one.get_by_role("navigation").wait_for()
    yield one
    context.close()
    assert not wrong


def complains(said):
    return said.type == "error" and "status of 503" not in said.text  # which one test makes


def elsewhere(url, address):
    return not url.startswith((address, "data:", f"blob:{address}", "chrome-extension:"))


def typed(tab, text):
    tab.get_by_label("Before").fill(text)
    tab.get_by_text("found,").wait_for()


def after(tab):
    return tab.get_by_role("region", name="After").inner_text()


def finding(tab, value):
    return tab.locator(".finding", has_text=value)


# Signing in


def test_a_key_that_is_not_known_is_refused_and_one_that_is_stays_in_its_tab(browser, service):
    context = browser.new_context(base_url=service.address)
    tab, other = context.new_page(), context.new_page()
    for key in ("nobody's", KEY):
        tab.goto("/")
        tab.get_by_label("API key").fill(key)
        tab.get_by_role("button", name="Add key").click()
        tab.get_by_role("navigation" if key == KEY else "alert").wait_for()
    tab.reload()
    tab.get_by_role("navigation").wait_for()
    other.goto("/")
    other.get_by_label("API key").wait_for()
    assert KEY not in other.evaluate("document.cookie + JSON.stringify(localStorage)")
    context.close()


# The workbench


def test_what_is_typed_is_marked_and_cleaned(tab):
    typed(tab, f"Für 𝔘: {NOTE}")  # a letter that is one code point and two units
    assert after(tab) == "Für 𝔘: Mr. [PERSON 1], SSN [SSN 1], seen 2024"
    assert tab.locator(".mirror mark").all_inner_texts() == [
        "Quentin Quarles", "536-90-4399", "2024-03-04",
    ]  # fmt: skip
    tab.get_by_label("Before").press("End")
    tab.keyboard.type(" by Dr. Ada Byron")
    finding(tab, "Ada Byron").wait_for()
    assert after(tab).endswith("seen 2024 by Dr. [PERSON 2]")


def test_why_a_finding_stands_and_to_reject_relabel_and_add(tab):
    typed(tab, f"{NOTE}; Zorblax called, then Zorblax left")
    finding(tab, "Quarles").click()
    why = tab.locator(".why")
    assert "name title (patterns.v1)" in why.inner_text() and "0.85" in why.inner_text()
    tab.get_by_role("button", name="Not an identifier").click()
    assert after(tab).startswith("Mr. Quentin Quarles, SSN [SSN 1]")
    tab.get_by_role("button", name="Undo").click()
    assert after(tab).startswith("Mr. [PERSON 1], SSN")
    finding(tab, "536-90").click()
    why.get_by_label("Call it").select_option("TAX_ID")
    assert "SSN [TAX_ID], seen" in after(tab)
    tab.get_by_label("Before").evaluate(
        "(box, at) => { box.focus(); box.setSelectionRange(at, at + 7); }", len(NOTE) + 2
    )
    tab.get_by_role("button", name="Hide it in 2 places").click()
    assert after(tab).endswith("; [PERSON] called, then [PERSON] left")
    finding(tab, "Zorblax").last.click()
    why.get_by_role("button", name="Undo").click()
    assert after(tab).endswith("; [PERSON] called, then Zorblax left")


def test_nothing_is_shown_as_clean_that_the_service_did_not_clean(tab):
    typed(tab, NOTE)
    tab.route("**/v1/anonymize", lambda route: route.fulfill(status=503, json={"error": {
        "code": "busy", "what": "too much waits", "where": "", "todo": "come again",
    }}))  # fmt: skip
    with tab.expect_event("console"):  # the browser tells of the 503
        tab.get_by_label("Before").press_sequentially(" Ada Byron")
    tab.get_by_role("alert").wait_for()
    assert after(tab) == "" and tab.get_by_role("button", name="Download").is_disabled()


def test_a_file_that_is_dropped_comes_back_clean(tab):
    tab.evaluate(
        """() => {
          const dropped = new DataTransfer();
          const table = "name,ssn\\nQuentin Quarles,536-90-4399\\n";
          dropped.items.add(new File([table], "people.csv"));
          const where = document.querySelector(".drop");
          where.dispatchEvent(new DragEvent("drop", { dataTransfer: dropped, bubbles: true }));
        }"""
    )
    with tab.expect_download() as told:
        tab.get_by_role("button", name="Download people.csv").click(timeout=20_000)
    assert "Quarles" not in Path(told.value.path()).read_text()
    sides = tab.locator("figure table").all_inner_texts()
    assert "536-90-4399" in sides[0] and "536-90-4399" not in sides[1]


def test_a_rule_is_changed_and_saved_under_a_name_of_its_own(tab):
    typed(tab, NOTE)
    tab.get_by_role("button", name="Rules").click()
    panel = tab.locator("#policy")
    panel.get_by_label("Label", exact=True).select_option("SSN")
    panel.get_by_label("Is", exact=True).select_option("mask.v1")
    panel.get_by_label("Save as").fill("ours")
    panel.get_by_role("button", name="Save").click()
    tab.get_by_role("region", name="After").get_by_text("***-**-****").wait_for()
    assert tab.get_by_label("Policy").input_value() == "ours"


# The other views


def test_an_archive_is_cleaned_comes_back_is_looked_at_again_and_forgotten(tab, tmp_path):
    with zipfile.ZipFile(tmp_path / "notes.zip", "w") as packed:
        for number in range(3):
            packed.writestr(f"note{number}.txt", f"{NOTE}, note {number}")
        packed.writestr("broken.pdf", b"%PDF-1.4 nothing")
    tab.goto("/#/batch")
    tab.get_by_label("Archive").set_input_files(tmp_path / "notes.zip")
    tab.get_by_role("button", name="Upload").click()
    tab.get_by_role("button", name="1 in quarantine").click(timeout=30_000)
    tab.get_by_role("cell", name="broken.pdf").wait_for()
    with tab.expect_download() as told:
        tab.get_by_role("button", name="Output").click()
    with zipfile.ZipFile(told.value.path()) as clean:
        notes = [clean.read(name).decode() for name in clean.namelist() if "note" in name]
    assert len(notes) == 3 and "Quarles" not in "".join(notes)
    look_again(tab)
    tab.goto("/#/batch")
    tab.get_by_role("button", name="Forget").click()
    tab.get_by_role("button", name="Forget it").click()
    tab.get_by_text("No jobs yet").wait_for()


def look_again(tab):
    """The second look at a job that is done, without a mouse."""
    tab.get_by_role("link", name="Second look").press("Enter")
    tab.get_by_text("Passage 1 of 3").wait_for()
    bound = tab.locator(".bound")
    tab.keyboard.press("0")
    bound.get_by_text("1 passage looked at").wait_for()
    tab.keyboard.press("2")
    bound.get_by_text("2 passages looked at").wait_for()
    worse = float(tab.locator(".figure").inner_text())
    tab.keyboard.press("u")
    bound.get_by_text("1 passage looked at").wait_for()
    assert float(tab.locator(".figure").inner_text()) < worse
    tab.keyboard.press("k")
    tab.get_by_text("Passage 1 of 3").wait_for()
    assert tab.locator(".desk-head .mark").inner_text() == "clean"


def test_the_log_is_shown_with_its_state_to_who_may(tab):
    tab.goto("/#/trust")
    tab.get_by_text("Every entry is there").wait_for()
    tab.get_by_label("Who", exact=True).fill("desk")
    tab.get_by_role("button", name="Filter").click()
    tab.get_by_role("cell", name="auditor").first.wait_for(state="detached")
    assert tab.get_by_role("cell", name="desk").count()


def test_numbers_move_while_texts_are_cleaned(tab, service):
    tab.goto("/#/live")
    tab.get_by_text("p99").first.wait_for()
    for _ in range(3):
        service.client.post("/v1/anonymize", json={"text": NOTE})
    tab.locator("dd", has_text="ms").first.wait_for()
    assert tab.locator(".bars li").count()


# For everybody


def test_phones_need_no_sideways_scrolling_and_axe_finds_nothing_in_light_and_dark(tab):
    typed(tab, NOTE)
    finding(tab, "Quarles").click()
    for view in VIEWS:
        tab.goto(f"/#/{view}")
        tab.locator(".loading").first.wait_for(state="detached")
        tab.set_viewport_size(PHONE)
        assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], view
        assert not complaints(tab, "wcag2a", "wcag2aa", "wcag21aa"), view
        tab.get_by_role("button", name="Dark", exact=True).click()
        assert not complaints(tab, "color-contrast"), view
        tab.get_by_role("button", name="Light", exact=True).click()
        tab.set_viewport_size(SIZE)


def complaints(tab, *rules):
    """What axe finds, where `npm ci` has fetched it."""
    if not AXE.exists():
        return []
    if not tab.evaluate("'axe' in window"):
        tab.evaluate(AXE.read_text())
    found = tab.evaluate("rules => axe.run({ runOnly: rules })", list(rules))
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]]


def test_a_browser_may_fetch_nothing_but_from_here_and_asks_again_for_less(service):
    first = service.client.get("/")
    assert "default-src 'none'" in first.headers["Content-Security-Policy"]
    for name in served.KINDS:
        path = "/" if name == "index.html" else f"/{name}"
        tag = service.client.get(path).headers["ETag"]
        assert service.client.get(path, headers={"If-None-Match": tag}).status_code == 304
