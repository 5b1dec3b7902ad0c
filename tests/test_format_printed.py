"""Pages as they come: printed by a browser, and from a scanner that was fed askew."""

import io
import shutil
import subprocess

import numpy as np
import pytest

pytest.importorskip("pikepdf")
pytest.importorskip("pypdfium2")
pytest.importorskip("reportlab")
pytest.importorskip("rapidocr")

from format_pages import LETTER, MRN, NAME, PHONE, letter, packed, picture
from PIL import Image, ImageFilter
from test_format_image import convert as convert_image
from test_format_image import said
from test_format_pdf import PLANTED, convert, drawn, leaks, texts

from scrubjay.formats.layout import Sign, views

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
PAGE = f"""<!doctype html><title>{NAME}</title>
<style>@page {{ margin: 2cm }} h1 {{ font: bold 20px sans-serif }} td {{ border: 1px solid }}
p::after {{ content: " {NAME}" }} i {{ letter-spacing: 3px }} b {{ color: #fff; background: #000 }}</style>
<h1>Visit of {NAME}</h1><p>MRN {MRN}, seen by
<table><tr><td>Phone<td>{PHONE}<tr><td>Pressure<td>132/84</table>
<i>{NAME}</i> <b>{NAME}</b> <a href="https://example.org/?patient={MRN}">her chart</a>
<svg width=300 height=40><text x=5 y=20>{NAME}</text></svg>
<p style="break-before: page">Page two, pulse 72, of
"""  # noqa: E501


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    (folder / "page.html").write_text(PAGE)
    subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/user",
         f"--print-to-pdf={folder}/page.pdf", (folder / "page.html").as_uri()],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return (folder / "page.pdf").read_bytes()


@pytest.mark.skipif(not BROWSER, reason="Chromium is not installed")
def test_what_a_browser_printed_comes_out_clean_and_legible(printed):
    assert NAME in texts(printed)[0]
    clean, _ = convert(printed)
    for text in (*texts(clean), drawn(clean), drawn(clean, 1)):
        squeezed = "".join(text.split())
        assert not [value for value in PLANTED if "".join(value.split()) in squeezed]
    assert not leaks(clean)
    assert "132/84" in texts(clean)[0] and "pulse 72" in texts(clean)[1]


def scanned(image, angle):
    """As paper comes from a scanner: askew, grey, grainy, soft, as a JPEG."""
    paper = image.convert("L").rotate(angle, expand=True, fillcolor=255, resample=Image.BICUBIC)
    soft = np.asarray(paper.filter(ImageFilter.GaussianBlur(0.6)), np.float32)
    grain = np.random.default_rng(7).normal(0, 14, soft.shape)
    grey = np.clip(soft * 0.88 + 18 + grain, 0, 255).astype(np.uint8)
    return packed(Image.fromarray(grey), "JPEG", quality=55)


@pytest.mark.parametrize("angle", [1.5, -2])
def test_what_a_scanner_took_askew_is_painted_over(angle):
    page = scanned(picture(LETTER, dpi=150), angle)
    assert NAME.split()[1] in said(page)
    clean, _ = convert_image(page)
    told = said(clean)
    assert not [value for value in PLANTED if value in told]
    assert "132/84" in told


def test_a_scan_in_a_pdf_is_painted_over_in_its_own_pixels():
    page = scanned(picture(LETTER, dpi=150), 1.5)
    clean, _ = convert(letter([(page, (10, 10, 380, 130))]))
    told = drawn(clean)
    assert not [value for value in PLANTED if value in told] and "pulse" in told
    assert page not in clean and Image.open(io.BytesIO(page)).format == "JPEG"


def test_only_signs_that_can_be_seen_make_a_spaced_word():
    def row(text):
        return [Sign(sign, 15.0 * place, 0, 8, 10) for place, sign in enumerate(text)]

    assert [view.text for view in views(row("      "))][1:] == []
    assert [view.text for view in views(row("Maria"))][1:] == ["Maria"]
    assert [view.text for view in views(row("Ann Lee"))][1:] == ["Ann Lee"]
