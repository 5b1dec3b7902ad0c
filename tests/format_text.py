"""What the tests of text formats share: an engine that knows some names, planting, damage."""

import base64
import html
import io
import quopri
import re
import urllib.parse
from pathlib import PurePath

from hypothesis import strategies as st

import scrubjay
from scrubjay import formats
from scrubjay.formats.work import Work
from scrubjay.report import unchanged
from scrubjay.types import Finding

PLANTED = ("Ann Lee", "536-90-4399", "ann@example.org", "Zo\u00eb D\u00f6rr")


class Names:
    """Finds every place of given names."""

    name = "names.v1"

    def detect(self, documents):
        return [
            [
                Finding(found.start(), found.end(), "PERSON", 0.9, self.name)
                for found in re.finditer(r"Ann\s+Lee|Zo\u00eb\s+D\u00f6rr", document.text)
            ]
            for document in documents
        ]


ENGINE = scrubjay.load("everything", profile="patterns", detectors=[Names()])


def work(engine=ENGINE, **options):
    return Work(engine.stream, **options)


def clean(name, data, engine=ENGINE, encoding="utf-8", told=None):
    """A file's clean bytes; `told` collects what was left out."""
    kind = formats.of(PurePath(name), io.BytesIO(data))
    sink, doing = io.BytesIO(), Work(engine.stream, encoding)
    formats.make(kind, encoding=encoding).convert(io.BytesIO(data), sink, doing)
    if told is not None:
        told.update(doing.left_out)
    return sink.getvalue()


def quiet(name, data):
    """A file through a format that is told that nothing is in it."""
    sink = io.BytesIO()
    kind = formats.of(PurePath(name), io.BytesIO(data))
    formats.make(kind).convert(io.BytesIO(data), sink, Work(lambda docs: map(unchanged, docs)))
    return sink.getvalue()


def forms(planted):
    """Every way in which these formats can write a value."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "latin-1"):
        data = planted.encode(encoding)
        yield data
        yield data.hex().encode()
        yield data.hex().upper().encode()
        yield quopri.encodestring(data).strip()
        yield urllib.parse.quote(data).encode()
        yield "".join(f"\\'{byte:02x}" for byte in data).encode()
        for pad in range(3):
            told = base64.b64encode(bytes(pad) + data)[4 if pad else 0 :]
            yield told[: -4 - len(told) % 4]
    yield "".join(f"&#{ord(c)};" for c in planted).encode()
    yield "".join(f"&#x{ord(c):x};" for c in planted).encode()
    yield "".join(f"\\u{ord(c):04x}" for c in planted).encode()
    yield html.escape(planted).encode()
    yield planted.encode("ascii", "xmlcharrefreplace")
    yield planted.encode("ascii", "backslashreplace")


def left(data, planted):
    """The forms of a value that are in the data."""
    return [form for form in forms(planted) if len(form) > 5 and form in data]


@st.composite
def mutated(draw, sample):
    """A sample, cut, doubled, or with other bytes in it."""
    data = bytearray(sample)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 12)))
        data[at:end] = draw(st.binary(max_size=6) | st.just(bytes(data[at:end]) * 2) | st.just(b""))
    if draw(st.booleans()):
        del data[draw(st.integers(0, len(data))) :]
    return bytes(data)


ROWS = {
    "json.v1": (b"[", b'{"name": "Ann Lee", "note": "seen today", "n": 12},\n', b"{}]"),
    "jsonl.v1": (b"", b'{"name": "Ann Lee", "note": "seen today", "n": 12}\n', b""),
    "xml.v1": (b"<r>", b"<row><name>Ann Lee</name><note>seen <b>today</b></note></row>\n", b"</r>"),
    "html.v1": (b"<table>", b"<tr><td>Ann Lee</td><td>seen <b>today</b></td></tr>\n", b"</table>"),
    "yaml.v1": (b"", b"- name: Ann Lee\n  note: seen today\n", b""),
    "toml.v1": (b"", b"[[row]]\nname = 'Ann Lee'\nnote = 'seen today'\n", b""),
    "rtf.v1": (b"{\\rtf1 ", b"Seen {\\b Ann} Lee today\\par\n", b"}"),
    "mbox.v1": (
        b"",
        b"From a@b Mon Mar  3 10:00:00 2025\nFrom: Ann Lee <ann@example.org>\nSubject: today\n\n"
        b"Seen by Ann Lee, MD, in the morning.\n> and before\n\n",
        b"",
    ),
}


def sized(kind, size):
    """A file of about that many bytes, for measurements."""
    head, row, tail = ROWS[kind]
    return head + row * max(1, size // len(row)) + tail
