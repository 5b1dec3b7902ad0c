"""HTML: every place of a string, names across tags, what a browser would read, what is refused."""

import base64
import json
import re

import lxml.html
import pytest
from format_text import PLANTED, clean, left, mutated, quiet
from hypothesis import given, settings
from hypothesis import strategies as st

from scrubjay import formats
from scrubjay.testing import check_format

SAMPLE = b"""<!DOCTYPE html>
<html lang="en"><head><title>Page $</title><meta name="author" content="$">
<meta charset="utf-8"><link rel='stylesheet' href='s.css?q=$'>
<style>/* $ */ p::after { content: "$"; background: url(data:image/png;base64,AAAA) }</style>
<script type="application/ld+json">{"name": "$"}</script>
<script>// $
var a = "$", b = '$', c = `x $`;</script></head>
<body onload="greet('$')" class="main" data-patient-name="$" style="font: '$'">
<!-- about $ --><h1 title="$">About $</h1><p id=one>A &amp; B $ <img src="a.png" alt="$"><br>end
<table><tr><th>Name</th><th>MRN</th></tr><tr><td>$</td><td>4481923</td></tr></table>
<textarea>$</textarea><a href="mailto:$?subject=$">link</a><input name="patient_name" value="$">
<noscript>no $</noscript><xmp>$</xmp><iframe srcdoc="&lt;p&gt;$"></iframe><? $ ?>
<svg><![CDATA[$]]></svg>
</body></html>
"""
PLAIN = SAMPLE.replace(b"$", b"x")


def copies():
    """The sample once for every place where a string can be."""
    for found in re.finditer(rb"\$", SAMPLE):
        told = SAMPLE[: found.start()] + b"@@" + SAMPLE[found.end() :]
        yield told.replace(b"$", b"").replace(b"@@", b"$")


@pytest.mark.parametrize("planted", PLANTED)
def test_planted_in_every_place(planted):
    for data in copies():
        before = data[: data.index(b"$")]
        percent = "".join(f"%{byte:02X}" for byte in planted.encode())
        forms = [planted, "".join(f"&#{ord(c)};" for c in planted), percent]
        if before.endswith((b'"name": "', b'var a = "', b"b = '", b"`x ")):
            forms.append("".join(f"\\u{ord(c):04x}" for c in planted))
            forms = [planted, forms[-1]]
        elif b"<style>" in before[-60:] or before.endswith((b"// ", b"<xmp>")):
            forms = [planted]
        elif not before.endswith((b"q=", b"mailto:", b"subject=")):
            forms = forms[:2]
        for form in forms:
            told = clean("a.html", data.replace(b"$", form.encode()))
            assert not left(told, planted) and form.encode() not in told, (form, before[-60:])
            lxml.html.fromstring(told)


@pytest.mark.parametrize(
    "text",
    [
        "<p>Seen by A<b>nn L</b><i>ee</i>, MD</p>",
        "<p>Seen by <a title='x' href=y>Ann</a> <em>Lee</em>, MD</p>",
        "<p>Seen by A<!-- x -->nn Lee, MD</p>",
        "<p>Seen by &#65;nn&#32;L&#x65;e, MD",
        "Seen by <SPAN CLASS=n>Ann Lee</SPAN>, MD",
    ],
)
def test_a_name_in_pieces(text):
    told = clean("a.html", text.encode())
    assert lxml.html.fromstring(told).text_content() == "Seen by [PERSON], MD"


@pytest.mark.parametrize(
    "text",
    [
        "<table><tr><th>No<th>MRN<tr><td>1<td><p>4481923</table>",
        "<table><tr><td>MRN:</td><td>4481923</td></tr></table>",
        "<dl><dt>MRN<dd>4481923</dl>",
        "<input name=mrn value=4481923>",
        "<p data-mrn='4481923'>",
        "<meta name=mrn content=4481923>",
    ],
)
def test_headers_say_what_a_cell_is(text):
    assert b"[MRN]" in clean("a.html", text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "<p", "<p a='Ann Lee", "<!-- Ann Lee", "<script>'Ann Lee", "<title>Ann Lee", "</ Ann Lee>",
        "<!Ann Lee>", "<!doctype Ann Lee>", "<p Ann-Lee=1>", "<Ann.Lee>x</Ann.Lee>", "</p Ann Lee>",
        "<a href='?q=Ann+Lee'>", "<!--><p>Ann Lee-->", "<plaintext>Ann Lee",
        "<svg><text>A<tspan>nn</tspan> Lee</text></svg>", "<foo>A</foo>nn Lee",
        "<a ping='?q=Ann+Lee'>", "<a href='javascript:f(\"Ann\\x20Lee\")'>",
        "<a href='?q=Ann%2520Lee'>", "<img srcset='Ann%20Lee.png 1x, b.png 2x'>", "<p Ann Lee>",
        "<p>by <Ann Lee>, MD", "<Ann Lee ann@example.org>",
        "<svg><a:Ann_Lee/></svg>",
        "<p>x</p Ann Lee", "<style>@import 'Ann Lee'", "<!--[if mso]><b>A</b>nn Lee<![endif]-->",
        "<template><p>Ann Lee</template>", "a < b Ann Lee", "<math><annotation>Ann Lee",
    ],
)  # fmt: skip
def test_nothing_hides_in_what_is_broken(text):
    told = clean("a.html", text.encode())
    assert not re.search(rb"Ann.Lee", told), told


def test_files_in_strings():
    inner = base64.b64encode(b"<p>for Ann <b>Lee</b>").decode()
    told = clean("a.html", f'<a href="data:text/html;base64,{inner}">'.encode())
    found = re.search(rb"base64,([\w+/=]+)", told)[1]
    assert base64.b64decode(found) == b"<p>for [PERSON]<b></b>"
    picture = base64.b64encode(b"\0\1\2" * 99).decode()
    assert clean("a.html", f'<img src="data:;base64,{picture}">'.encode()) == b'<img src="data:,">'


def test_html_in_other_formats():
    data = json.dumps({"html": "<p>for A<b>nn</b> Lee</p>", "same": "<br>  x"})
    assert json.loads(clean("a.json", data.encode())) == {
        "html": "<p>for [PERSON]<b></b></p>", "same": "<br>  x"
    }  # fmt: skip
    for text in (
        "<![CDATA[<p>for A<b>nn</b> L&#101;e</p>]]>",
        "&lt;p>for A&lt;b>nn&lt;/b> Lee&lt;/p>",
    ):
        told = clean("a.xml", f"<r>{text}</r>".encode())
        assert (
            lxml.html.fromstring(lxml.html.etree.fromstring(told).text).text_content()
            == "for [PERSON]"
        )


def test_what_holds_nothing_stays():
    told = quiet("a.html", PLAIN).decode()
    dropped = [("url(data:image/png;base64,AAAA)", "url()"), ("<xmp>x<", "<xmp><"),
               ("id=one", 'id="one"'),
               ("rel='stylesheet' href='s.css?q=x'", 'rel="stylesheet" href="s.css?q=x"'),
               ("<? x ?>", "<!-- x ?-->"), ("<![CDATA[x]]>", "<!--[CDATA[x]]-->")]  # fmt: skip
    text = PLAIN.decode()
    for old, new in dropped:
        text = text.replace(old, new)
    assert told == text


def test_encodings():
    page = '<meta charset="iso-8859-2"><p>\u0141ukasz for Ann Lee'
    assert clean("a.html", page.encode("iso-8859-2")).decode("iso-8859-2").endswith("for [PERSON]")


@pytest.mark.parametrize(
    "text",
    ["<a ", "<!--", '<a b="', "<p>", "&", "</", "<script>", "<", "<a b='", "<!", "url(", "&#"],
)
def test_time_is_bounded(text):
    quiet("a.html", text.encode() * (20_000 if ">" in text else 90_000))


@settings(max_examples=50)
@given(mutated(SAMPLE.replace(b"$", b"Ann Lee")) | st.binary(max_size=40))
def test_damage_is_refused_or_harmless(data):
    try:
        clean("a.html", data)
    except formats.InputError:
        return


def test_contract():
    check_format(
        formats.make("html.v1"), b"<p>plain <b>bold</b> text</p><!-- note --><a href='x y z'>"
    )
