"""What a file looks like is drawn for who sent it, and nothing of it stays."""

import base64
import io

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage", "pypdfium2", "openpyxl"):
    pytest.importorskip(needed)

import openpyxl  # noqa: E402
from PIL import Image, ImageDraw  # noqa: E402
from serving import NOTE, service  # noqa: E402

from scrubjay.serve import store, views  # noqa: E402


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        service(monkeypatch, tmp_path_factory.mktemp("views")) as one,
    ):
        yield one


def view(one, name, data, who=""):
    headers = {"Authorization": f"Bearer {one.keys[who]}"} if who else {}
    return one.client.post(f"/v1/views?name={name}", content=data, headers=headers)


def made(kind, **how):
    target = io.BytesIO()
    page = Image.new("RGB", (2000, 500), "white")
    ImageDraw.Draw(page).rectangle((100, 100, 300, 200), fill="black")
    page.save(target, kind, **how)
    return target.getvalue()


@pytest.mark.parametrize("kind", ["PDF", "TIFF"])
def test_pages_are_pictures_of_them(served, kind):
    more = {"save_all": True, "append_images": [Image.new("RGB", (2000, 500), "white")]}
    told = view(served, f"a.{kind.lower()}", made(kind, **more)).json()
    first, second = (Image.open(io.BytesIO(base64.b64decode(page))) for page in told["pages"])
    assert first.size == (views.WIDE, 250)
    assert first.convert("L").getextrema()[0] < 9 and second.convert("L").getextrema()[0] > 200


def test_tables_are_rows_and_other_files_are_text(served):
    book, target = openpyxl.Workbook(), io.BytesIO()
    for row in [("name", "ssn"), ("Quentin Quarles", "536-90-4399"), ("Ada Byron", "536-90-4388")]:
        book.active.append(row)
    book.save(target)
    [table] = view(served, "people.xlsx", target.getvalue()).json()["tables"]
    assert table["names"] == ["name", "ssn"] and table["rows"][0][1] == "536-90-4399"
    clean = served.client.post("/v1/files?name=people.xlsx", content=target.getvalue())
    [table] = view(served, "people.xlsx", clean.content).json()["tables"]
    assert table["names"] == ["name", "ssn"] and "4399" not in str(table)
    assert view(served, "note.txt", NOTE.encode()).json()["text"] == NOTE


def test_what_cannot_be_read_is_refused_and_nothing_stays(served):
    answer = view(served, "a.pdf", b"%PDF-1.4 nothing")
    assert answer.status_code in (400, 422) and "Quarles" not in answer.text
    assert view(served, "note.txt", NOTE.encode(), "auditor").status_code == 403
    assert not [path for path in (store.own() / "spool").rglob("*") if path.is_file()]
