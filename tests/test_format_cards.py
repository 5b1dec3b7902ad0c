"""Calendars and cards: every property by what it is; what others read of them."""

import re
from collections import Counter

import pytest
from format_text import PLANTED, clean, left, mutated
from hypothesis import given, settings

import scrubjay
from scrubjay import Policy, Rule, formats
from scrubjay.testing import check_format

CALENDAR = """BEGIN:VCALENDAR
PRODID:-//$//EN
VERSION:2.0
METHOD:REQUEST
X-WR-CALNAME:of $
BEGIN:VTIMEZONE
TZID:home of $
END:VTIMEZONE
BEGIN:VEVENT
UID:040000008200E00074C5B7101A82E008-$
DTSTAMP:20250228T080000Z
DTSTART;TZID=home of $:20250303T100000
DTEND;TZID=Europe/Berlin:20250303T110000
RRULE:FREQ=WEEKLY;BYDAY=MO,-1FR;UNTIL=20250601T000000Z
EXDATE;VALUE=DATE:20250310,20250317
SUMMARY;LANGUAGE=en;X-BY=$:Seen\\, by $\\nagain
STATUS:CONFIRMED
CLASS:$
ORGANIZER;CN="$";SENT-BY="mailto:$":mailto:ann@example.org
ATTENDEE;CN=$;ROLE=REQ-PARTICIPANT;RSVP=TRUE;PARTSTAT=$:MAILTO:ann@example.org
ATTENDEE:http://example.org/$
ATTACH;VALUE=BINARY;ENCODING=BASE64:QW5uIExlZQ==
X-ALT-DESC;FMTTYPE=text/html:<b>$</b>
BEGIN:VALARM
TRIGGER:-PT15M
ACTION:DISPLAY
END:VALARM
END:VEVENT
END:VCALENDAR
"""
CARD = """BEGIN:VCARD
VERSION:3.0
N:$;$;;;
FN:$
ITEM1.EMAIL;TYPE=INTERNET,$:ann@example.org
$-x.TEL;CELL:+1 555 010 7788
ADR;TYPE=HOME:;;12 Main St\\; $;Springfield;IL;62701;USA
BDAY:1985-03-02
NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:caf=C3=A9 =
with $
PHOTO;ENCODING=b;TYPE=JPEG:QW5uIExlZQ==
SOUND:$
END:VCARD
"""
SAMPLES = {"a.ics": CALENDAR, "a.vcf": CARD}


def folded(text):
    """With a fold behind every sixth character."""
    return "\n".join(re.sub("(.{6})(?=.)", r"\1\n ", line) for line in text.split("\n"))


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("name", SAMPLES)
def test_planted_in_every_place(name, planted):
    sample = SAMPLES[name] if name == "a.ics" else SAMPLES[name].replace("$-x.", "")
    text = sample.replace("$", planted)
    for data in (text, text.replace("\n", "\r\n"), folded(text) if name == "a.ics" else text):
        told = clean(name, data.encode())
        assert not left(told.replace(b"\r\n ", b"").replace(b"\n ", b""), planted), told
        assert b"ann@example.org" not in told and b"QW5u" not in told
        assert max(map(len, told.splitlines())) <= 75


def test_what_stays():
    told = Counter()
    engine = scrubjay.load(Policy("p", {"DATE": Rule("generalize.v1")}), profile="patterns")
    data = clean("a.ics", CALENDAR.replace("$", "q").encode(), engine, told=told)
    lines = data.decode().replace("\n ", "").splitlines()
    assert lines[5:] == [
        "TZID:zone-1", "END:VTIMEZONE", "BEGIN:VEVENT",
        lines[8], "DTSTAMP:20250101T000000Z",
        "DTSTART;TZID=zone-1:20250101T000000", "DTEND;TZID=Europe/Berlin:20250101T000000",
        "RRULE:FREQ=WEEKLY;BYDAY=MO,-1FR", "EXDATE;VALUE=DATE:20250101,20250101",
        "SUMMARY;LANGUAGE=en:Seen\\, by q\\nagain", "STATUS:CONFIRMED",
        'ORGANIZER;CN="[PERSON]":mailto:somebody@redacted.invalid',
        'ATTENDEE;CN="[PERSON]";ROLE=REQ-PARTICIPANT;RSVP=TRUE:mailto:somebody@redacted.invalid',
        "ATTENDEE:invalid:nomail", "BEGIN:VALARM", "TRIGGER:-PT15M", "ACTION:DISPLAY", "END:VALARM",
        "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip
    assert told == {"property": 4, "parameter": 3, "end of a rule": 1, "address of a person": 1}


def test_a_moved_date_stays_in_its_form():
    engine = scrubjay.load(Policy("p", {"DATE": Rule("shift.v1")}), profile="patterns")
    told = clean("a.ics", CALENDAR.encode(), engine).decode()
    assert "\nDTSTAMP:202" in told and "T080000Z\n" in told


def test_who_a_card_names_is_looked_for_in_its_texts():
    text = (
        CARD.replace("$-x.", "")
        .replace("N:$;$", "N:Quillfeather;Zora")
        .replace("with $", "to Zora")
    )
    told = clean("a.vcf", text.encode()).decode()
    assert "NOTE:caf\u00e9 to [PERSON]" in told and "Zora" not in told


@pytest.mark.parametrize("data", [b"", b"FN:Ann Lee", b"BEGIN:VCARD\nno property\n"])
def test_refused(data):
    with pytest.raises(formats.InputError):
        clean("a.vcf", data)


def test_known_by_content():
    assert formats.kinds.sample(b"BEGIN:VCALENDAR\r\n", "a.txt") == "ics.v1"
    assert formats.kinds.sample(b"BEGIN:VCARD\r\n") == "vcf.v1"


@settings(max_examples=50)
@given(mutated(CALENDAR.encode()))
def test_damage_is_refused_or_harmless(data):
    try:
        told = clean("a.ics", data)
    except formats.InputError:
        return
    assert b"ann@example.org" not in told.replace(b"\n ", b"")


def test_contract():
    check_format(formats.make("vcf.v1"), b"BEGIN:VCARD\nVERSION:4.0\nNOTE:some words\nEND:VCARD\n")
