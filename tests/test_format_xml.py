"""XML: every place of a string, texts in pieces, what stays, what is refused."""

import io
import re
from collections import Counter

import pytest
from format_text import PLANTED, clean, left, mutated, quiet, work
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from scrubjay import formats
from scrubjay.formats.naming import says_who
from scrubjay.testing import check_format
from scrubjay.types import Anonymized, Replacement, Report

SAMPLE = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<!-- about $ -->
<?style href="$" type='text/xsl'?>
<v:record xmlns:v="urn:x:v$" xmlns="http://example.org/ns" xml:lang="en"  id = '1'>
  <v:name use="L $">plain</v:name><empty/><empty note="$"></empty>
  <p>Seen $ by <b>someone</b><i/> and <![CDATA[raw <b> $ ]]> more &amp; <!-- $ --> tail &#x263A;</p>
  <birthDate value="$"/>
  <list><item>one</item><item>two $</item></list>
</v:record>
""".replace("v$", "v").encode()
PLAIN = SAMPLE.replace(b"$", b"x")


NAMES = [
    (b"<i/>", b"<i $='v'/>"), (b"<i/>", b"<$/>"), (b"urn:x:v", b"urn:x:$"), (b"?style", b"?$"),
    (b"<empty/>", b"<x><$>inner</$></x>"), (b"xml:lang", b"xmlns:$='urn:y' $:lang"),
]  # fmt: skip


def copies():
    """The sample once for every place where a string can be."""
    for found in re.finditer(rb"\$", SAMPLE):
        told = SAMPLE[: found.start()] + b"@@" + SAMPLE[found.end() :]
        yield told.replace(b"$", b"").replace(b"@@", b"$")


@pytest.mark.parametrize("planted", PLANTED)
def test_planted_in_every_place(planted):
    escaped = "".join(f"&#{ord(c)};" for c in planted)
    for data in copies():
        for form in (planted,) if b"$ ]]>" in data else (planted, escaped):
            told = clean("a.xml", data.replace(b"$", form.encode()))
            assert not left(told, planted)
            etree.fromstring(told)


@pytest.mark.parametrize("planted", ["Ann_Lee", "Ann-Lee", "Zo\u00eb.D\u00f6rr", "ssn-536-90-4399"])
@pytest.mark.parametrize(("old", "new"), NAMES)
def test_names_are_data_too(planted, old, new):
    data = SAMPLE.replace(b"$", b"").replace(old, new.replace(b"$", planted.encode()))
    assert data.count(planted.encode()) > 0
    told = clean("a.xml", data)
    assert not left(told, planted)
    etree.fromstring(told)


@pytest.mark.parametrize(
    "text",
    [
        "<p>Seen by A<b>nn L</b><i>ee</i>, MD</p>",
        "<p>Seen by A<![CDATA[nn L]]>ee, MD</p>",
        "<p>Seen by A<!-- x -->nn <?y?>Lee, MD</p>",
        "<p>Seen by <b><i>Ann</i> <u>Lee</u></b>, MD</p>",
    ],
)
def test_a_name_in_pieces(text):
    told = clean("a.xml", f"<r>{text}</r>".encode())
    assert "".join(etree.fromstring(told).itertext()) == "Seen by [PERSON], MD"


def test_structure_stays():
    before, after = etree.fromstring(PLAIN), etree.fromstring(quiet("a.xml", PLAIN))
    assert etree.tostring(before, method="c14n") == etree.tostring(after, method="c14n")
    assert after.getroottree().docinfo.standalone and b"<![CDATA[raw <b> x ]]>" in quiet(
        "a.xml", PLAIN
    )


def test_the_element_says_what_a_text_is():
    told = clean("a.xml", b'<r><mrn>4481923</mrn><mrn value="4481923"/><n>4481924</n></r>')
    assert told == b'<r><mrn>[MRN]</mrn><mrn value="[MRN]"/><n>4481924</n></r>\n'


def test_long_files_are_given_in_parts():
    row = b"<row><name>Ann Lee</name><note>long <b>bold</b> note</note></row>"
    data = b"<rows>" + row * 1500 + b" tail of Ann Lee</rows>"
    told = clean("a.xml", data)
    assert told == data.replace(b"Ann Lee", b"[PERSON]") + b"\n"


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "windows-1252", "us-ascii"])
def test_encodings(encoding):
    text = f'<?xml version="1.0" encoding="{encoding}"?><r a="\u00e9">caf\u00e9 Ann Lee</r>'
    told = clean("a.xml", text.encode(encoding, "xmlcharrefreplace"))
    assert etree.fromstring(told).text == "caf\u00e9 [PERSON]"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"<a>", b"<a></b>", b"<a>&nbsp;</a>", b"<a/><b/>", b"<a b=1/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b"<!DOCTYPE a [<!ELEMENT a ANY>]><a/>",
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a>&b;</a>',
        b"<a>" * 300 + b"</a>" * 300, b'<?xml version="1.0" encoding="nonesuch"?><a/>',
        b'<?xml version="1.0" encoding="punycode"?><a/>', b"<a>\0</a>", b"<a>\xff</a>",
    ],
)  # fmt: skip
def test_refused(data):
    with pytest.raises(formats.InputError):
        clean("a.xml", data)


def test_a_tagger_alone_is_not_believed_of_schemas():
    def told(name, detector):
        done = Replacement(0, 1, 0, 1, "PERSON", 1, 0.6, detector, "redact.v1")
        return says_who(name, Anonymized("x", Report("", "", "", "", {}, (done,))))

    assert not any(told(name, "tagger.v1:fast") for name in ("nullFlavor", "guardian", "onclick"))
    assert all(told(name, "tagger.v1:fast") for name in ("Ann_Lee", "annaLee", "x-gonzalez"))
    assert told("nullFlavor", "patterns.v1:x") and told("guardian", "known.v1")


def test_namespaces_that_say_whose_they_are():
    data = b'<r xmlns="http://www.w3.org/1999/xhtml" xmlns:a="mailto:ann@example.org" a:b="1"/>'
    told = clean("a.xml", data)
    assert told == data.replace(b"mailto:ann@example.org", b"urn:namespace:1") + b"\n"


def test_a_document_type_is_dropped_and_told():
    told = Counter()
    data = b'<!DOCTYPE svg PUBLIC "-//Ann Lee//" "http://example.org/Ann"><svg/>'
    assert clean("a.xml", data, told=told) == b"<svg/>\n" and told == {"document type": 1}


def test_a_tag_that_does_not_end():
    class Endless(io.BytesIO):
        def read(self, size=-1):
            return b"<a b='" if not self.tell() and super().seek(1) else b"x" * size

    with pytest.raises(formats.InputError, match="16 MiB"):
        formats.make("xml.v1").convert(Endless(), io.BytesIO(), work())


@settings(max_examples=50)
@given(mutated(SAMPLE))
def test_damage_is_refused_or_harmless(data):
    try:
        told = clean("a.xml", data)
        etree.fromstring(data)
    except (formats.InputError, etree.XMLSyntaxError):  # prefixes may be undeclared, as before
        return
    etree.fromstring(told)


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)


@given(st.lists(TEXT, min_size=1, max_size=4))
def test_what_holds_nothing_means_the_same(texts):
    root = etree.Element("r", a=texts[0])
    for text in texts:
        child = etree.SubElement(root, "c", b=text)
        child.text, child.tail = text, text
    data = etree.tostring(root)
    told = etree.fromstring(quiet("a.xml", data))
    assert etree.tostring(told, method="c14n") == etree.tostring(root, method="c14n")


def test_contract():
    check_format(formats.make("xml.v1"), PLAIN)
