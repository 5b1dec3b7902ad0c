"""RTF: paragraphs across runs and code pages, what is left out, what is refused."""

from collections import Counter

import pytest
from format_text import PLANTED, clean, left, mutated, quiet
from hypothesis import given, settings
from striprtf.striprtf import rtf_to_text

from scrubjay import formats
from scrubjay.testing import check_format

HEAD = (
    r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fcharset204 Arial;}}"
)
SAMPLE = (
    HEAD
    + r"""{\colortbl;\red255\green0\blue0;}{\stylesheet{\s0 Normal;}{\*\cs1 Strong $;}}
{\info{\title $}{\author $}{\*\company $}}{\*\generator $;}{\header\pard head $\par}
\pard\f0\fs24 Seen by {\b $} in \i the ward\i0 .\par
Next\tab $ \{x\}\line more\'e9\u8364?\par
{\field{\*\fldinst HYPERLINK "mailto:$"}{\fldrslt link $}}{\footnote note $}\par
{\*\bkmkstart $}{\*\atnauthor $}{\annotation comment $}{\pict\pngblip 89504e47 $}
{\object\objemb{\*\objdata 0105 $}{\result shown $}}{\unknowndest text $}\par
\trowd\cellx4000\cellx8000 MRN:\cell $\cell\row
}
"""
)


def spelled(planted):
    """The value in each way that a text can be."""
    data = planted.encode("cp1252")
    yield "".join(f"\\'{byte:02x}" for byte in data)
    yield "".join(f"\\u{ord(c)}?" for c in planted)
    if planted.isascii():
        yield planted
        yield "{" + "}{\\b ".join(planted) + "}"
        yield "\\b0 ".join(planted)
        yield "\r\n".join(planted)


@pytest.mark.parametrize("planted", PLANTED)
def test_planted_in_every_place(planted):
    for form in spelled(planted):
        told = clean("a.rtf", SAMPLE.replace("$", form).encode("ascii"))
        assert not left(told, planted) and form.encode() not in told
        text = rtf_to_text(told.decode("ascii"), errors="strict")
        assert planted not in text and text.count("[") == 5


def test_what_is_left_out_is_told():
    told = Counter()
    clean("a.rtf", SAMPLE.encode("ascii"), told=told)
    assert told == {
        "document properties": 1, "unknown group": 2, "authors": 1, "picture": 1,
        "embedded object": 1, "formatting": 1,
    }  # fmt: skip


def test_text_stays():
    text = SAMPLE.replace("$", "x").replace(
        r"{\object\objemb{\*\objdata 0105 x}{\result shown x}}", ""
    )
    before, after = (rtf_to_text(one) for one in (text, quiet("a.rtf", text.encode()).decode()))
    assert after.strip() == before.strip().replace("x}", "x}")
    assert "\u00e9\u20ac" in after and "{x}" in after


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (r"\f1\'c0\'ed\'ed\'e0", "\u0410\u043d\u043d\u0430"),
        (r"{\u-10179?\u-8704?}", "\U0001f600"),
        (r"\uc2\u8364\'80\'80x", "\u20acx"),
        (r"\uc0\u8364 x", "\u20acx"),
        (r"\u55357 x", "\ufffdx"),
        (r"a\~b\_c\-d\emdash e", "a\u00a0b\u2011cd\u2014e"),
    ],
)
def test_characters(raw, text):
    seen = []

    class Look:
        def stream(self, documents):
            from scrubjay.report import unchanged

            for document in documents:
                seen.append(document.text)
                yield unchanged(document)

    clean("a.rtf", f"{HEAD}{raw}\\par}}".encode(), Look())
    assert seen[-1].replace("x", "") == text.replace("x", "")


@pytest.mark.parametrize(
    "text",
    [" a", " a\\", " {\\pict a}", " \\'zz}", "", "{" * 900 + "}" * 901, " {\\info {\\bin99999 }}"],
)
def test_refused(text):
    with pytest.raises(formats.InputError):
        clean("a.rtf", b"{\\rtf1" + text.encode())


def test_what_stands_behind_the_end_goes():
    told = Counter()
    data = clean("a.rtf", (HEAD + "x}Ann Lee}").encode(), told=told)
    assert not left(data, "Ann Lee") and told["data behind the end"] == 1


@settings(max_examples=50)
@given(mutated(SAMPLE.replace("$", "Ann Lee").encode()))
def test_damage_is_refused_or_harmless(data):
    try:
        clean("a.rtf", data)
    except formats.InputError:
        return


def test_contract():
    check_format(
        formats.make("rtf.v1"), (HEAD + r"some {\b bold} words\par more words\par}").encode()
    )
