"""What the log answers, as pure functions of entries and a time."""

from datetime import UTC, datetime, timedelta

import pytest

pytest.importorskip("cryptography")
pytest.importorskip("pyrage")

from scrubjay.audit import query
from scrubjay.audit.entry import Entry
from scrubjay.audit.query import Item
from scrubjay.errors import UsageError

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def item(number, years=0.0, **fields):
    told = {"who": "ada", "role": "de-identify", "action": "anonymize", "outcome": "done"}
    time = query.stamp(NOW - timedelta(days=365.25 * years))
    return Item(number, Entry(**told | fields, time=time))


GIVEN = {"action": "disclose", "subject": "s1", "recipient": "Study 17", "reason": "research"}
ITEMS = [
    item(0, 7, **GIVEN),
    item(1, 5, **GIVEN, about="notes of 2020, Safe Harbor"),
    item(2, 4, **GIVEN | {"subject": "s2"}),
    item(3, 3, **GIVEN | {"outcome": "refused"}),
    Item(4, None),
    item(5, 0.1, who="bo", action="breakglass.start", subject="s1"),
    item(6, 0.05, who="cy", action="review-log", subject="5"),
    item(7, 0.01, who="bo", action="breakglass.start"),
]


def test_entries_by_person_subject_action_and_time():
    def numbers(*times, **wanted):
        return [number for number, _ in query.select(ITEMS, *times, **wanted)]

    assert numbers(who="bo") == [5, 7] and numbers(subject="s2", action="disclose") == [2]
    times = [datetime.fromisoformat(query.date(entry)) for _, entry in query.select(ITEMS)]
    assert numbers(times[1], times[2]) == [1], "half-open"
    with pytest.raises(UsageError, match=r"no field whom; known: who, role"):
        numbers(whom="bo")
    with pytest.raises(UsageError, match="needs its zone"):
        numbers(datetime(2026, 1, 1))


def test_disclosures_of_six_years_as_164_528_wants_them():
    [found] = query.disclosures(ITEMS, "s1", NOW)
    assert found[1:] == ("Study 17", "notes of 2020, Safe Harbor", "research", 1)
    assert found.date == "2021-11-21T04:00:00.000Z"


def test_an_audit_event_has_what_fhir_r4_requires():
    entry = ITEMS[1].entry
    event = query.fhir(1, entry, "audit.example/ward")
    assert event["resourceType"] == "AuditEvent" and event["recorded"] == query.date(entry)
    assert {"type", "agent", "source"} <= event.keys() and event["outcome"] == "0"
    assert [agent["requestor"] for agent in event["agent"]] == [True, False]
    assert event["source"]["observer"]["display"] == "audit.example/ward"
    assert event["entity"][0]["what"]["identifier"]["value"] == "s1"
    refused = query.fhir(3, ITEMS[3].entry, "x")
    assert refused["outcome"] == "4" and refused["agent"][0]["who"]["identifier"]["value"] == "ada"
    counts = query.fhir(9, item(9, counts={"PERSON": 2}).entry, "x")["entity"][-1]["detail"]
    assert counts == [{"type": "PERSON", "valueString": "2"}]


def test_the_register_has_a_line_for_each_action_and_purpose():
    line = next(one for one in query.register(ITEMS) if one.action == "disclose")
    assert line.purpose == "research" and line.recipients == ("Study 17",)
    assert (line.entries, line.subjects) == (4, 2)
    assert line.first == "2019-11-21T16:00:00.000Z" and line.last > line.first


def test_nothing_younger_than_six_years_or_held_may_go():
    assert query.droppable(ITEMS, NOW) == [0]
    assert query.droppable(ITEMS, NOW, held={"s1"}) == []
    assert query.droppable(ITEMS, NOW, years=10) == []
    with pytest.raises(UsageError, match="6 years or more, not 5"):
        query.droppable(ITEMS, NOW, years=5)


def test_six_years_before_a_leap_day_is_a_day():
    leap = datetime(2028, 2, 29, tzinfo=UTC)
    assert query.years_before(leap, 6) == datetime(2022, 2, 28, tzinfo=UTC)
    assert query.years_before(leap, 8) == leap.replace(year=2020)


def test_reviews_are_asked_for_until_they_are_made():
    log, emergency = query.reviews(ITEMS, NOW)
    assert log.entry is None and "not reviewed for 30 days" in log.why
    assert emergency.entry == 7, "5 was reviewed"
    done = [*ITEMS, item(8, action="review-log"), item(9, action="review-log", subject="7")]
    assert query.reviews(done, NOW) == []
    assert query.reviews([item(0, 0.01)], NOW) == [], "too young a log"
    assert query.reviews([], NOW) == []
