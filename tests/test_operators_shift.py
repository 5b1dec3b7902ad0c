"""shift.v1: the interval and the form stay, the date goes, what is no date goes whole."""

import datetime
import re
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_operators import KEY, TODAY, apply, scene_of

from scrubjay import operators
from scrubjay.keys import Key
from scrubjay.operators import calendar, dates
from scrubjay.types import Document, Finding

EN, DE, FR, ES = "en", "de", "fr", "es"
MONTHS = {
    language: [names.split() for names in row["months"]]
    for language, row in calendar.languages().items()
}


def month(language, style, date):
    return MONTHS[language][style][date.month - 1]


def ordinal(number):
    ending = "th" if 10 < number < 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


# Name -> language, and how the form is written: a date and the shifted one must both be so.
FORMS = {
    "03/14/2024": (EN, lambda d: f"{d:%m/%d/%Y}"),
    "3/14/24": (EN, lambda d: f"{d.month}/{d.day}/{d:%y}"),
    "03-14-2024": (EN, lambda d: f"{d:%m-%d-%Y}"),
    "2024-03-14": (EN, lambda d: f"{d:%Y-%m-%d}"),
    "2024/03/14": (EN, lambda d: f"{d:%Y/%m/%d}"),
    "2024-03-14T09:30:00Z": (EN, lambda d: f"{d:%Y-%m-%d}T09:30:00Z"),
    "2024-03-14 09:30:00.123+01:00": (EN, lambda d: f"{d:%Y-%m-%d} 09:30:00.123+01:00"),
    "20240314": (EN, lambda d: f"{d:%Y%m%d}"),
    "20240314093000": (EN, lambda d: f"{d:%Y%m%d}093000"),
    "20240314093000+0100": (EN, lambda d: f"{d:%Y%m%d}093000+0100"),
    "14.03.2024": (DE, lambda d: f"{d:%d.%m.%Y}"),
    "14. 3. 2024": (DE, lambda d: f"{d.day}. {d.month}. {d.year}"),
    "14/03/2024": (FR, lambda d: f"{d:%d/%m/%Y}"),
    "March 3rd, 2024": (EN, lambda d: f"{d:%B} {ordinal(d.day)}, {d.year}"),
    "March 3, 2024": (EN, lambda d: f"{d:%B} {d.day}, {d.year}"),
    "March 03, 2024": (EN, lambda d: f"{d:%B} {d:%d}, {d.year}"),
    "MARCH 3, 2024": (EN, lambda d: f"{d:%B} {d.day}, {d.year}".upper()),
    "march 3, 2024": (EN, lambda d: f"{d:%B} {d.day}, {d.year}".lower()),
    "3rd of March, 2024": (EN, lambda d: f"{ordinal(d.day)} of {d:%B}, {d.year}"),
    "3 Mar 24": (EN, lambda d: f"{d.day} {d:%b} {d:%y}"),
    "03-Mar-2024": (EN, lambda d: f"{d:%d-%b-%Y}"),
    "Thu 03/14/2024": (EN, lambda d: f"{d:%a %m/%d/%Y}"),
    "Thursday, March 14, 2024": (EN, lambda d: f"{d:%A, %B} {d.day}, {d.year}"),
    "March 14, 2024 at 9:30 am": (EN, lambda d: f"{d:%B} {d.day}, {d.year} at 9:30 am"),
    "2024年3月14日": ("ja", lambda d: f"{d.year}年{d.month}月{d.day}日"),
    "3. März 2024": (DE, lambda d: f"{d.day}. {month(DE, 0, d).capitalize()} {d.year}"),
    "3 mars 2024": (FR, lambda d: f"{d.day} {month(FR, 0, d)} {d.year}"),
    "3 de marzo de 2024": (ES, lambda d: f"{d.day} de {month(ES, 0, d)} de {d.year}"),
    "3 marzo 2024": ("it", lambda d: f"{d.day} {month('it', 0, d)} {d.year}"),
    "3 de março de 2024": ("pt", lambda d: f"{d.day} de {month('pt', 0, d)} de {d.year}"),
    "3 maart 2024": ("nl", lambda d: f"{d.day} {month('nl', 0, d)} {d.year}"),
    "3 marca 2024 r.": ("pl", lambda d: f"{d.day} {month('pl', 0, d)} {d.year} r."),
    "den 3 mars 2024": ("sv", lambda d: f"den {d.day} {month('sv', 0, d)} {d.year}"),
    "3. marts 2024": ("da", lambda d: f"{d.day}. {month('da', 0, d)} {d.year}"),
    "3. mars 2024": ("no", lambda d: f"{d.day}. {month('no', 0, d)} {d.year}"),
    "3. maaliskuuta 2024": ("fi", lambda d: f"{d.day}. {month('fi', 0, d)} {d.year}"),
    "3. března 2024": ("cs", lambda d: f"{d.day}. {month('cs', 0, d)} {d.year}"),
    "3 марта 2024 г.": ("ru", lambda d: f"{d.day} {month('ru', 0, d)} {d.year} г."),
    "3 Mart 2024": ("tr", lambda d: f"{d.day} {month('tr', 0, d).capitalize()} {d.year}"),
    "3 Μαρτίου 2024": ("el", lambda d: f"{d.day} {month('el', 0, d).capitalize()} {d.year}"),
}
RECENT = st.dates(datetime.date(1950, 1, 1), datetime.date(2025, 12, 31))


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25)
@given(date=RECENT, group=st.text("abc123", min_size=1, max_size=4))
def test_form_and_interval_stay(form, date, group):
    language, written = FORMS[form]
    value = written(date)
    if date.day > 9 and (date.month > 9 or not value.isascii() or value[0].isalpha()):
        return  # whether numbers are padded cannot be seen
    scene = scene_of(value, "DATE", group=group, language=language)
    moved = date + datetime.timedelta(dates.offset(scene, 365, weeks=False))
    assert operators.make("shift", {})(value, scene.findings[0], scene) == written(moved)


def shifted(values, options=None, labels=None, **document):
    """The values as the dates of one document."""
    text, findings = "", []
    for number, value in enumerate(values):
        label = labels[number] if labels else "DATE"
        findings.append(Finding(len(text), len(text) + len(value), label, 1.0, "test", 1))
        text += value + "\n"
    scene = operators.Scene(Document(text, **document), findings, KEY, {}, TODAY)
    operate = operators.make("shift", options or {})
    return [operate(text[f.start : f.end], f, scene) for f in findings]


@settings(max_examples=60)
@given(st.lists(RECENT, min_size=2, max_size=6), st.booleans(), st.integers(7, 2000))
def test_intervals_of_a_document_stay_exact(found, weeks, days):
    values = [date.isoformat() for date in found]
    told = shifted(values, {"weeks": weeks, "days": days, "age_cap": 0}, group="g")
    moved = [datetime.date.fromisoformat(value) for value in told]
    for (old, new), (old2, new2) in combinations(zip(found, moved, strict=True), 2):
        assert old2 - old == new2 - new
    by = (moved[0] - found[0]).days
    assert 0 < abs(by) <= days
    assert by % 7 == 0 or not weeks


@given(st.binary(min_size=32, max_size=32), st.text(max_size=5), st.integers(1, 400))
def test_no_date_stays(secret, group, days):
    scene = scene_of("x", "DATE", group=group, key=Key(secret))
    assert 0 < abs(dates.offset(scene, days, weeks=False)) <= days


def test_every_offset_occurs():
    scenes = [scene_of("x", "DATE", group=str(n)) for n in range(400)]
    assert {dates.offset(s, 3, weeks=False) for s in scenes} == {-3, -2, -1, 1, 2, 3}


def test_who_moves_together():
    def by(**document):
        return dates.offset(scene_of("x", **document), 30000, weeks=False)

    assert by(group="a", id="1") == by(group="a", id="2")
    assert by(group="a", id="1") != by(group="b", id="1")
    assert by(id="1") != by(id="2")
    assert by(id="1") != by(group="1")
    assert by() != by(id="x")


def test_other_keys_move_otherwise():
    one = apply("shift", "2024-03-14", "DATE", {"days": 30000}, group="g")
    two = apply("shift", "2024-03-14", "DATE", {"days": 30000}, group="g", key=Key(b"two" * 16))
    assert one != two


@pytest.mark.parametrize(
    "value",
    ["5/10 pain", "120/80", "10-12 mg", "next Tuesday week", "13/13/2024", "2024-02-30", "0/0/0",
     "Easter 2020", "3/14/2024 Smith", "MRN 20240314 9", "١٢/٣/٢٠٢٤", "1" * 500],
)  # fmt: skip
def test_what_is_no_date_goes_whole(value):
    assert apply("shift", value, "DATE") == "[DATE]"


def test_ranges_keep_their_form():
    for value in ["March 3-5, 2024", "3-5 March 2024", "14.-16.03.2024", "3/14-3/18/24"]:
        told = apply("shift", value, "DATE", {"days": 1}, language="de" if "." in value else "en")
        assert re.sub(r"\d+", "0", told) == re.sub(r"\d+", "0", value)
        assert told != value


def test_ranges_spread_over_a_month_and_a_year():
    told = {
        apply("shift", "March 30-31, 2024", "DATE", {"days": 1}, group=str(n)) for n in range(9)
    }
    assert told == {"March 31-April 1, 2024", "March 29-30, 2024"}
    told = {apply("shift", "12/30-1/1/25", "DATE", {"days": 1}, group=str(n)) for n in range(9)}
    assert told == {"12/31-1/2/25", "12/29-12/31/24"}


def test_dates_without_year_keep_their_distance():
    for group in map(str, range(20)):
        first, second = shifted(["3/14/2023", "3/24"], group=group)
        old = datetime.date(2023, 3, 14)
        new = datetime.datetime.strptime(first, "%m/%d/%Y").date()
        month_day = (new + datetime.timedelta(10)).timetuple()[1:3]
        assert tuple(map(int, second.split("/"))) == month_day
        assert new != old


def test_a_day_over_twelve_tells_the_order():
    told = shifted(["25/12/2023", "03/04/2024"], {"days": 1}, group="g")
    assert told[1][3:] in ("04/2024",)
    told = shifted(["12/25/2023", "03/04/2024"], {"days": 1}, group="g", language="fr")
    assert told[1].startswith("03/")


def test_months_years_and_weekdays():
    month_told = apply("shift", "March 2024", "DATE", group="m")
    assert re.fullmatch(r"[A-Z][a-z]+ 20\d\d", month_told)
    assert re.fullmatch(r"20\d\d", apply("shift", "2024", "DATE"))
    assert re.fullmatch(r"[A-Z][a-z]{2} '2\d", apply("shift", "Mar '24", "DATE"))
    assert apply("shift", "Monday", "DATE", {"days": 1}) in ("Sunday", "Tuesday")
    assert apply("shift", "1er mars 2024", "DATE", {"days": 1}, language="fr") in (
        "2 mars 2024",
        "29 février 2024",
    )


def test_old_birth_years_go():
    assert apply("shift", "04/05/1931", "BIRTH_DATE") == "[BIRTH_DATE]"
    assert apply("shift", "04/05/31", "BIRTH_DATE") == "[BIRTH_DATE]"
    assert apply("shift", "04/05/1931", "BIRTH_DATE", {"age_cap": 0}) != "[BIRTH_DATE]"
    assert apply("shift", "92", "AGE") == "[AGE]"


@settings(max_examples=60)
@given(st.dates(datetime.date(2020, 1, 1), datetime.date(2022, 12, 31)), st.integers(0, 50))
def test_truncated_dates_rule_no_offset_out(date, group):
    options = {"days": 30, "first": "2020-01-01", "last": "2022-12-31"}
    told = apply("shift", date.isoformat(), "DATE", options, group=str(group))
    if told != "[DATE]":
        new = datetime.date.fromisoformat(told)
        for by in (-30, 30):
            source = new - datetime.timedelta(by)
            assert datetime.date(2020, 1, 1) <= source <= datetime.date(2022, 12, 31)


def test_times():
    assert apply("shift", "09:30", "TIME") == "09:30"
    assert apply("shift", "09:30", "TIME", {"times": "suppress"}) == "[TIME]"
    told = apply("shift", "2024-03-14T09:30:00Z", "DATE", {"times": "suppress"})
    assert told.endswith("T00:00:00Z")
    assert apply("shift", "20240314093000", "DATE", {"times": "suppress"}).endswith("000000")
