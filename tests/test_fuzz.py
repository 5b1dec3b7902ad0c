"""The kept corpus: small files that reach the readers' branches, or that once broke a promise."""

import importlib.util
from pathlib import Path

import pytest

FUZZ = Path(__file__).parent.parent / "fuzz"
SPEC = importlib.util.spec_from_file_location("fuzz", FUZZ / "fuzz.py")
fuzz = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(fuzz)


@pytest.mark.parametrize("kind", sorted(path.name for path in fuzz.CORPUS.iterdir()))
def test_what_is_kept_is_refused_or_clean(kind, monkeypatch):
    monkeypatch.setattr(fuzz.ocr, "read", lambda image: [])
    for path in (fuzz.CORPUS / kind).iterdir():
        data = path.read_bytes()
        for cut in {len(data), len(data) * 2 // 3, len(data) - 1}:
            try:
                fuzz.check(kind, data[:cut])
            except fuzz.Broken as problem:
                pytest.fail(f"{path.name}, {cut} bytes of it: {problem}")


def test_a_reader_that_copies_unread_is_found(monkeypatch):
    copying = type("Copying", (), {"convert": lambda self, s, t, work: t.write(s.read()) and None})
    monkeypatch.setattr(fuzz.formats, "make", lambda name: copying())
    with pytest.raises(fuzz.Broken, match="left"):
        fuzz.check("text", b"for Quackenbush")


def test_every_format_has_a_corpus():
    names = {kind.name.partition(".")[0] for kind in fuzz.formats.kinds.KINDS} - {"dicom-basic"}
    assert names <= {path.name for path in fuzz.CORPUS.iterdir()}
    size = sum(path.stat().st_size for path in fuzz.CORPUS.rglob("*") if path.is_file())
    assert size < 300_000
