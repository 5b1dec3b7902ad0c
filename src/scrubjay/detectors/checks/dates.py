"""Whether a form that looks like a date, a time or an age can be one.

Precision on dates is a privacy property: a shift that is applied to "5/10 pain" shows the offset.
"""

from __future__ import annotations

import re

_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FIRST_YEAR, _LAST_YEAR = 1850, 2149

# Month names and their short forms in English, German, French, Spanish, Italian, Portuguese, Dutch,
# Polish, Swedish, Danish, Norwegian, Finnish, Czech and Russian, as they stand in dates.
_MONTHS = {
    1: "january januar jänner januari janvier enero gennaio janeiro styczeń stycznia styczniu "
    "tammikuu leden ledna lednu январь января январе jan jän janv ene gen sty tammi янв",
    2: "february februar februari februar feber febrero febbraio fevereiro février fevrier luty "
    "lutego lutym helmikuu únor února únoru февраль февраля феврале feb febr fév févr fev lut фев",
    3: "march märz marz mars marzo março marco maart marts marzec marca marcu maaliskuu březen "
    "března březnu март марта марте mar mär mrz mrt bře мар",
    4: "april avril abril aprile kwiecień kwietnia kwietniu huhtikuu duben dubna dubnu апрель "
    "апреля апреле apr avr abr kwi",
    5: "may mai mayo maggio maio mei maj maja maju toukokuu květen května květnu май мая мае mag "
    "kvě",
    6: "june juni juin junio giugno junho czerwiec czerwca czerwcu kesäkuu červen června červnu "
    "июнь июня июне jun giu cze июн",
    7: "july juli juillet julio luglio julho lipiec lipca lipcu heinäkuu červenec července "
    "červenci июль июля июле jul juil lug lip июл",
    8: "august augustus augusti août aout agosto sierpień sierpnia sierpniu elokuu srpen srpna "
    "srpnu август августа августе aug ago aoû sie srp авг",
    9: "september septembre septiembre setiembre settembre setembro wrzesień września wrześniu "
    "syyskuu září сентябрь сентября сентябре sep sept set sett wrz сен сент",
    10: "october oktober octobre octubre ottobre outubro październik października październiku "
    "lokakuu říjen října říjnu октябрь октября октябре oct okt ott out paź окт",
    11: "november novembre noviembre novembro listopad listopada listopadzie listopadu marraskuu "
    "ноябрь ноября ноябре nov lis ноя нояб",
    12: "december dezember décembre decembre diciembre dicembre dezembro desember grudzień grudnia "
    "grudniu joulukuu prosinec prosince prosinci декабрь декабря декабре dec dez des déc dic gru "
    "дек",
}
_MONTH = {word: month for month, words in _MONTHS.items() for word in words.split()}
_FINNISH = re.compile(r"kuu(?:ta|ssa|n)$")
_WORD = re.compile(r"[^\W\d_]+")
_SHORT_YEAR = re.compile(r"\D\d\d?\D+[^\W\d_]\D+\d\d$")
_NUMBER = re.compile(r"\d+")
# Without a year these are rather English words, or another language's everyday ones.
_NEED_YEAR = {"set", "out", "ago", "gen", "mag", "lug", "des", "lis", "lip", "sie", "sty", "lut"}
_NEED_YEAR |= {"dic", "ene", "cze", "gru", "ott", "marco", "marz"}


def month_of(word: str) -> int:
    """1 to 12, or 0."""
    word = word.lower()
    return _MONTH.get(word) or ("kuu" in word and _MONTH.get(_FINNISH.sub("kuu", word))) or 0


def _fits(day: int, month: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1]


def _year(digits: str) -> bool:
    return len(digits) == 2 or (len(digits) == 4 and _FIRST_YEAR <= int(digits) <= _LAST_YEAR)


def numeric(value: str) -> bool:
    """Three numbers that make a date in the American, European or ISO order."""
    parts = _NUMBER.findall(value)
    if len(parts) != 3:
        return False
    if len(parts[0]) == 4:
        return _year(parts[0]) and _fits(int(parts[2]), int(parts[1]))
    first, second = int(parts[0]), int(parts[1])
    return _year(parts[2]) and (_fits(first, second) or _fits(second, first))


def iso(value: str) -> bool:
    """A date, perhaps with a time, that starts with year, month and day."""
    date, _, time = value.partition("T")
    return numeric(date) and int(time[:2] or 0) < 25


def packed(value: str) -> bool:
    """YYYYMMDD, perhaps with a time."""
    year, month, day = value[:4], int(value[4:6]), int(value[6:8])
    return _year(year) and _fits(day, month)


def packed_any(value: str) -> bool:
    """Eight digits in any usual order."""
    orders = (value, value[4:] + value[:4], value[4:] + value[2:4] + value[:2])
    return any(packed(order) for order in orders)


def month_year(value: str) -> bool:
    """03/2024, 2024-03; not 2008-09, which is a pair of years."""
    first, second = _NUMBER.findall(value)
    if len(first) == 4:
        follows = int(second) == (int(first) + 1) % 100
        return _year(first) and 1 <= int(second) <= 12 and not follows
    return _year(second) and 1 <= int(first) <= 12


def day_month(value: str) -> bool:
    """Two numbers that can be a day and a month and that no scale or fraction uses."""
    first, second = map(int, _NUMBER.findall(value)[:2])
    if not (_fits(first, second) or _fits(second, first)):
        return False
    return not (first <= second and second in {2, 3, 4, 5, 6, 8, 10}) and first > 0


def day_month_weak(value: str) -> bool:
    """The same, also where it could be a score: only for the clearest words before it."""
    first, second = map(int, _NUMBER.findall(value)[:2])
    return _fits(first, second) or _fits(second, first)


def pair(value: str) -> bool:
    """A range of two short dates."""
    parts = [int(part) for part in _NUMBER.findall(value)]
    if len(parts) == 5:
        parts = parts[:4]
    ends = (parts[:2], parts[-2:] if len(parts) == 4 else parts[-3:-1])
    return all(_fits(a, b) or _fits(b, a) for a, b in ends)


_ODD = {13, 14, 16, 17, 18, 19, 22, 23, 26, 28, 29, 31}  # no scale or vision test ends there


def day_month_bare(value: str) -> bool:
    """Month and day without a word before them: 3/14, 07/05, no score, fraction or dose."""
    first, second = _NUMBER.findall(value)[:2]
    padded = len(first) == len(second) == 2 and "0" in (first[0], second[0])
    return int(first) <= 12 and _fits(int(second), int(first)) and (padded or int(second) in _ODD)


def range_bare(value: str) -> bool:
    """3/6 - 3/8 or 2/27 - 3/2: one month and a later day, or the next month and an earlier day.

    Scores and doses that change ("4/5 to 5/5", "5/10 - 7/10", "1/4 - 1/2") do not go so.
    """
    parts = [int(part) for part in _NUMBER.findall(value)]
    if not (_fits(parts[1], parts[0]) and _fits(parts[3], parts[2])):
        return False
    if parts[0] == parts[2]:
        return parts[1] < parts[3] and parts[0] + parts[3] > 5 and parts[:2] != [1, 2]
    return parts[2] == parts[0] % 12 + 1 and parts[1] > 20 and parts[3] < parts[1]


def words(value: str) -> bool:
    """A month by name with a day, a year or both; the day exists in that month."""
    numbers = _NUMBER.findall(value)
    named = [(word, month_of(word)) for word in _WORD.findall(value)]
    named = [pair for pair in named if pair[1]]
    if not named or not numbers:
        return False
    word = named[-1][0]
    years = [n for n in numbers if len(n) == 4]
    two_digit = "'" in value or _SHORT_YEAR.search(" " + value) is not None
    if not years and not two_digit and _doubtful(word):
        return False
    days = [int(n) for n in numbers if len(n) < 3]
    if two_digit and not years:
        days = days[:-1]
    return all(_year(y) for y in years) and all(
        any(_fits(d, month) for _, month in named) for d in days
    )


def words_pair(value: str) -> bool:
    """Mar '24; not "may-20", a span of something else."""
    return "'" in value or not _doubtful(_WORD.findall(value)[0])


def _doubtful(word: str) -> bool:
    """Rather an everyday word, unless a year or a capital letter says month."""
    if word.lower() in {"may", "march", "mar", "mars"}:
        return word == word.lower()
    return word.lower() in _NEED_YEAR


def any_form(value: str) -> bool:
    """Whatever may follow "date of birth"."""
    digits = _NUMBER.findall(value)
    if any(len(word) > 2 for word in _WORD.findall(value)) and "T" not in value[9:11]:
        return words(value)
    if re.search("[年월月]", value):
        return True
    if len(digits) >= 3:
        return numeric("/".join(digits[:3]))
    if len(digits) == 2:
        return month_year(value) if len(digits[-1]) == 4 else day_month_weak(value)
    if not value.isdecimal():  # in 1960s
        return False
    return _year(value) if len(value) == 4 else len(value) == 8 and packed_any(value)


def clock(value: str) -> bool:
    """At most hours, minutes and seconds, and no ratio such as 1:1."""
    parts = [int(part) for part in re.findall(r"\d+", value)[:3]]
    return value.count(":") <= 2 and parts[0] < 25 and all(part < 60 for part in parts[1:])


def age(value: str) -> bool:
    """A number of years that a person can reach."""
    numbers = _NUMBER.findall(value)
    return not numbers or all(int(number) <= 125 for number in numbers)
