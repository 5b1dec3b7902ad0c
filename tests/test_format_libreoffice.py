"""LibreOffice as the other side: what it makes goes through clean, and it opens what is made."""

import io
import shutil
import subprocess

import pytest
import test_format_xlsx
from format_office import AUTHOR, NAME, SSN, docx_parts, left, odt_parts, packed
from test_format_office import presentation

import scrubjay
from scrubjay.formats import kinds, make
from scrubjay.formats.work import Work
from scrubjay.testing import FakeDetector

pdfium = pytest.importorskip("pypdfium2")
pytestmark = pytest.mark.skipif(
    not shutil.which("soffice"), reason="LibreOffice is not installed: apt-get install libreoffice"
)
WORDS = {NAME: "PERSON", "Zora Quillfeather": "PERSON"}
ENGINE = scrubjay.load("everything", profile="patterns", detectors=[FakeDetector(WORDS)])
SECRETS = (NAME, SSN, AUTHOR, "Quillfeather", "Vandermolen", "Brightwater", "4481923", "1950-01-02")
OURS = {
    "a.docx": lambda: packed(docx_parts()),
    "b.odt": lambda: packed(odt_parts()),
    "c.xlsx": test_format_xlsx.drawn,
    "d.pptx": presentation,
    "e.xlsx": test_format_xlsx.linked,
}
THEIRS = ["a.odt", "b.docx", "c.ods", "c.xlsx", "d.odp", "d.pptx"]  # by name, of what is made


def office(folder, suffix, *paths):
    """Files in another format, in a folder."""
    home = f"-env:UserInstallation=file://{folder.parent}/home"
    command = ["soffice", home, "--headless", "--convert-to", suffix, "--outdir", folder]
    subprocess.run([*command, *paths], check=True, timeout=120, capture_output=True)


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """By name: ours as `our-...`, and what LibreOffice made of them."""
    ours, theirs = tmp_path_factory.mktemp("ours"), tmp_path_factory.mktemp("theirs")
    for name, maker in OURS.items():
        (ours / name).write_bytes(maker())
    for name in THEIRS:
        stem, _, suffix = name.partition(".")
        [source, *_] = [*theirs.glob(f"{stem}.*"), *ours.glob(f"{stem}.*")]
        office(theirs, suffix, source)
    found = {path.name: path.read_bytes() for path in theirs.iterdir()}
    return found | {f"our-{path.name}": path.read_bytes() for path in ours.iterdir()}


@pytest.fixture(scope="module")
def clean(old):
    """The same without what identifies, and what was left out."""
    found = {}
    for name, data in old.items():
        work, target = Work(ENGINE.stream), io.BytesIO()
        make(kinds.sample(data, name)).convert(io.BytesIO(data), target, work)
        found[name] = target.getvalue(), work.left_out
    return found


@pytest.mark.parametrize("name", THEIRS)
def test_what_libreoffice_makes_is_understood(clean, name):
    new, told = clean[name]
    assert not left(new, SECRETS)
    assert not {"unknown element", "other part", "missing part"} & set(told), told


def test_libreoffice_opens_all_of_it(clean, tmp_path):
    """As it prints: no planted value, and what stood around one."""
    folder = tmp_path / "clean"
    folder.mkdir()
    paths = [folder / f"{name.replace('.', '-')}.{name.partition('.')[2]}" for name in clean]
    for path, (data, _) in zip(paths, clean.values(), strict=True):
        path.write_bytes(data)
    office(tmp_path / "pdf", "pdf", *paths)
    seen = "Seen by [PERSON]"
    around = {
        "a": seen,
        "b": seen,
        "c": "Dose of [PERSON]",
        "d": "Case of [PERSON]",
        "e": "[PERSON] is well",
    }
    for name, path in zip(clean, paths, strict=True):
        with pdfium.PdfDocument(tmp_path / "pdf" / f"{path.stem}.pdf") as file:
            text = "\n".join(page.get_textpage().get_text_bounded() for page in file)
        assert not [secret for secret in SECRETS if secret in text], name
        assert around[name.removeprefix("our-")[0]] in " ".join(text.split()), name
