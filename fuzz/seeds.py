# ruff: noqa: E501
"""Makes the first files of each format's corpus, from what the tests plant: `python fuzz/seeds.py`."""

from __future__ import annotations

import gzip
import io
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import format_bad  # noqa: E402
import format_clinical  # noqa: E402
import format_dicom  # noqa: E402
import format_office  # noqa: E402
import format_pages  # noqa: E402
import format_tables  # noqa: E402

SQL = (
    b"CREATE TABLE t (a TEXT, b INTEGER DEFAULT 4711);\nINSERT INTO t (a, b) VALUES "
    b"('Quackenbush', 1), (E'Ann\\n Lee', NULL);\nCOPY t (a, b) FROM stdin;\nAnn Lee\t2\n\\.\n"
    b"-- Quackenbush\n/* Ann Lee */ UPDATE t SET a = $$Gonzalez$$ WHERE b = 0x41;\n"
)
MAIL = (
    b"From: Ann Lee <q@example.org>\nTo: =?utf-8?Q?Quackenbush?= <z@example.org>\nDate: Tue, 5 Mar 2024 "
    b"10:00:00 +0100\nSubject: Quackenbush\nMIME-Version: 1.0\nContent-Type: multipart/mixed; "
    b'boundary="b"\n\n--b\nContent-Type: text/plain\n\n> Ann Lee\n> 536-90-4399\n--b\nContent-Type: '
    b"text/html\n\n<p>Ann <b>Lee</b></p>\n--b\nContent-Type: text/csv\nContent-Transfer-Encoding: "
    b'base64\nContent-Disposition: attachment; filename="Quackenbush.csv"\n\nYSxiCkFubiBMZWUsMQo=\n'
    b"--b\nContent-Type: message/rfc822\n\nFrom: q@example.org\n\nQuackenbush\n--b--\n"
)
PAGE = (
    b"<!doctype html><title>Quackenbush</title><table><tr><th>Name<td>Ann <b>Lee</b></table><a "
    b"href='?n=Ann%20Lee' title=Quackenbush>x</a><!-- Gonzalez --><script>var a = 'Ann Lee';"
    b"</script><style>p { content: 'Quackenbush' }</style><img src='data:text/plain,Ann%20Lee'>"
    b"<input value='Qua&#99;kenbush'><script type='application/json'>{\"a\": \"Ann Lee\"}</script>"
)
SHEET = (
    b"<r xmlns:a='http://a/Quackenbush' b='Ann Lee'><!-- Gonzalez --><?p Quackenbush?><p>Ann <i>Lee"
    b"</i></p><![CDATA[Quackenbush]]><a:name value='536-90-4399'>Qua&#x63;kenbush</a:name></r>"
)
WORDS = (
    b"{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}{\\info{\\author Ann Lee}}\\pard Ann {\\b Lee}\\par "
    b'Qua\\\'63kenbush \\u71?onzalez{\\field{\\*\\fldinst HYPERLINK "Quackenbush"}{\\fldrslt x}}'
    b"{\\*\\unknown Ann Lee}{\\pict\\bin4 abcd}\\cell\\row}"
)


def seeds() -> dict[str, list[bytes]]:
    """Some small files of each format."""
    tables = {name.partition(".")[0]: [make(150)] for name, make in format_tables.SAMPLES.items()}
    return tables | _texts() | _packed() | _clinical() | _drawn()


def _texts() -> dict[str, list[bytes]]:
    """Formats that people can read."""
    return {
        "text": [b"Seen by Ann Lee, 536-90-4399.\r\n\xc3\xa9"],
        "lines": [b"Ann Lee\nQuackenbush\r\n\n"],
        "csv": [b'name,note\n"Ann Lee","x ""Quackenbush"""\nGonzalez;1\n', b"a\tb\nAnn Lee\t\\N\n"],
        "json": [b'{"mrn": 4711, "a": ["Ann Lee", null, 1.5e3, {"Quackenbush": "{\\"b\\": \\"Ann Lee\\"}"}]}'],
        "jsonl": [b'{"a": "Ann Lee"}\n\n["Qua\\u0063kenbush"]\n'],
        "sql": [SQL],
        "xml": [SHEET],
        "html": [PAGE],
        "rtf": [WORDS],
        "eml": [MAIL],
        "ini": [b"; Gonzalez\n[a]\nname = Quackenbush\n"],
        "srt": [b"1\n00:00:01,000 --> 00:00:02,000\nAnn <i>Lee</i>\n"],
        "ics": [b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Quackenbush\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"],
        "vcf": [b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Quackenbush\r\nN:Quackenbush;Z;;;\r\nEND:VCARD\r\n"],
        "mbox": [b"From q Tue Mar  5 10:00:00 2024\n" + MAIL + b"\n"],
        "yaml": [b"# Ann Lee\na: &x Quackenbush\nb: [*x, 'Ann Lee', \"Qua\\x63kenbush\"]\nc: |\n  Ann Lee\n? d\n: !t >-\n  Gonzalez\n"],
        "toml": [b'# Ann Lee\n[a."Quackenbush"]\nb = ["Ann Lee", 1, 2024-03-05]\nc = """\nGonzalez"""\nd = {e = \'Ann Lee\'}\n'],
    }  # fmt: skip


def _packed() -> dict[str, list[bytes]]:
    """Archives and office files."""
    members = {"Ann Lee/a.txt": b"Quackenbush", "b.json": b'{"a": "Ann Lee"}'}
    tar, deck = io.BytesIO(), format_office.docx_parts()
    with tarfile.open(fileobj=tar, mode="w") as packed:
        info = tarfile.TarInfo("Ann Lee.txt")
        info.size = 11
        packed.addfile(info, io.BytesIO(b"Quackenbush"))
    return {
        "zip": [format_bad.zipped(members), format_bad.zipped({"a.zip": format_bad.zipped(members)})],
        "tar": [tar.getvalue()],
        "gz": [gzip.compress(b"Ann Lee", mtime=0), gzip.compress(tar.getvalue(), mtime=0)],
        "zst": [_zst(b"Ann Lee")],
        "docx": [_small(deck)],
        "pptx": [_small(format_office.pptx_parts())],
        "odf": [_small(format_office.odt_parts())],
        "ole": [format_bad.encrypted_office()[:1024]],
    }  # fmt: skip


def _small(parts: dict[str, str | bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in parts.items():
            packed.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return sink.getvalue()


def _zst(data: bytes) -> bytes:
    import zstandard

    return zstandard.compress(data)


def _clinical() -> dict[str, list[bytes]]:
    return {
        "fhir": [format_clinical.fhir(), format_clinical.fhir(1)],
        "hl7v2": [format_clinical.hl7v2()],
        "ccda": [format_clinical.ccda()],
        "x12": [format_clinical.x12()],
        "dicom": [format_dicom.saved(format_dicom.ct(size=4))],
    }


def _drawn() -> dict[str, list[bytes]]:
    page = format_bad.pdf(
        *format_bad.page("BT /F 12 Tf 20 90 Td [(Quacken) -20 (bush)] TJ (Ann Lee) ' ET")
    )
    picture = format_pages.picture(("Ann Lee",))
    return {
        "pdf": [page, format_pages.letter(pages=1, form=True)],
        "image": [format_pages.packed(picture, kind) for kind in ("PNG", "JPEG", "TIFF", "WEBP")],
    }


if __name__ == "__main__":
    for name, files in seeds().items():
        folder = ROOT / "fuzz" / "corpus" / name
        folder.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(files):
            (folder / f"seed-{number}").write_bytes(data)
