"""Identifiers dressed up so that a person reads them and a regex does not."""

import pytest

import scrubjay

PLAIN = {
    "SSN 536-90-4399": "536-90-4399",
    "mail jane.doe@example.org now": "jane.doe@example.org",
    "card 4111 1111 1111 1111": "4111 1111 1111 1111",
    "call (555) 010-7788": "(555) 010-7788",
}
ZERO_WIDTH = ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\u200f", "\u2066"]


@pytest.fixture(scope="module")
def engine():
    return scrubjay.load("everything")


def covered(engine, text, start, end):
    places = set()
    for finding in engine.detect(text):
        places.update(range(finding.start, finding.end))
    return set(range(start, end)) <= places


def disguised(change):
    for text, value in PLAIN.items():
        start = text.index(value)
        new = change(value)
        yield text[:start] + new + text[start + len(value) :], start, start + len(new)


@pytest.mark.parametrize("mark", ZERO_WIDTH, ids=lambda c: f"U+{ord(c):04X}")
def test_invisible_characters_between_all_characters(engine, mark):
    for text, start, end in disguised(lambda value: mark.join(value)):
        assert covered(engine, text, start, end), ascii(text)


@pytest.mark.parametrize(
    "shift",
    [0xFF10, 0x0660, 0x06F0, 0x0966, 0x1D7CE, 0x1D7F6],
    ids=["fullwidth", "arabic", "persian", "devanagari", "bold", "monospace"],
)
def test_digits_of_other_scripts(engine, shift):
    table = {ord("0") + i: shift + i for i in range(10)}
    for text, start, end in disguised(lambda value: value.translate(table)):
        assert covered(engine, text, start, end), ascii(text)


@pytest.mark.parametrize("hyphen", "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d")
def test_hyphens_of_every_kind(engine, hyphen):
    text = f"SSN 536{hyphen}90{hyphen}4399."
    assert covered(engine, text, 4, 15), ascii(text)


@pytest.mark.parametrize("space", "\u00a0\u2009\u202f\u3000")
def test_spaces_of_every_kind(engine, space):
    text = f"card 4111{space}1111{space}1111{space}1111"
    assert covered(engine, text, 5, 24), ascii(text)


def test_look_alike_letters_in_an_address(engine):
    text = "mail j\u0430ne.d\u043ee@ex\u0430mple.org now"
    assert covered(engine, text, 5, 25), ascii(text)


def test_full_width_address(engine):
    text = "mail \uff4a\uff41\uff4e\uff45\uff20example\uff0eorg now"
    assert covered(engine, text, 5, 21), ascii(text)


def test_combining_marks_on_digits(engine):
    value = "5\u03363\u03366\u0336-9\u03360\u0336-4\u03363\u03369\u03369\u0336"
    text = f"SSN {value} end"
    assert covered(engine, text, 4, 4 + len(value)), ascii(text)


def test_the_replacement_leaves_no_piece(engine):
    for mark in ZERO_WIDTH:
        clean = engine.anonymize(f"SSN 536{mark}-90-43{mark}99.").text
        assert not any(c.isdigit() for c in clean), ascii(clean)
