"""Other values for the marked ones of a seed: same kind, mostly the same form, consistent in the
document, the same person under all spellings."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable

from scrubjay.marked import Change, Marked, changed
from scrubjay.train.lists import Lists

PARTICLES = frozenset(
    "van der den de la las los del della di da dos das do du von zu zur ter ten bin ibn bint al el "
    "abu ben le y e af av san santa st mc mac o d l and & jr sr ii iii iv".split()
)
MONTHS = (
    "January February March April May June July August September October November December".split()
)
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_KEEP_VALUE = 0.15  # of values stay as the writer wrote them
_NEW_FORM = 0.3  # of dates, phones and the like take another form altogether


class Swap:
    """One variant of a document."""

    def __init__(self, lists: Lists, dice: random.Random) -> None:
        self._lists = lists
        self._dice = dice
        self._new: dict[tuple[str, str], str] = {}
        self._words: dict[str, str] = {}  # a name's word -> its substitute, both in lower case
        self._people: list[tuple[str, str]] = []

    def document(self, seed: Marked) -> Marked:
        """The seed with other values."""
        self._meet(seed)
        return changed(seed.name, seed.text, (
            Change(start, end, self.value(label, seed.text[start:end]), label)
            for start, end, label in seed.spans
        ))  # fmt: skip

    def value(self, label: str, old: str) -> str:
        """The substitute of a value, the same each time."""
        if label == "PERSON":
            return self._person(old)
        key = label, old.casefold()
        if key not in self._new:
            kept = self._dice.random() < _KEEP_VALUE
            self._new[key] = old if kept else MAKERS.get(label, Swap._code)(self, old)
        new = self._new[key]
        return _cased(old, new) if label in _CASED else new

    # --- people

    def _meet(self, seed: Marked) -> None:
        """Give every word of every name its substitute, longest names first: they tell the roles."""
        names = {seed.text[start:end] for start, end, label in seed.spans if label == "PERSON"}
        for name in sorted(names, key=lambda name: (-len(name.split()), name)):
            self._introduce(name)

    def _introduce(self, name: str) -> None:
        words = [w for w in WORD.findall(name) if len(w) > 1 and w.casefold() not in PARTICLES]
        new = [word for word in words if word.casefold() not in self._words]
        if not new:
            return
        if self._dice.random() < _KEEP_VALUE:
            self._words.update((word.casefold(), word) for word in new)
            return
        given, surname = self._lists.person(self._dice)
        self._people.append((given, surname))
        backwards = "," in name
        for place, word in enumerate(words):
            if word.casefold() in self._words:
                continue
            close = next((w for w in self._words if _alike(w, word.casefold())), None)
            if close:
                self._words[word.casefold()] = _misspelt(self._words[close], self._dice)
                continue
            is_last = (place == 0) if backwards else (place == len(words) - 1 and len(words) > 1)
            if len(words) == 1:
                is_last = self._dice.random() < 0.5
            if not is_last and place > (1 if backwards else 0):
                given = self._lists.person(self._dice)[0]
            self._words[word.casefold()] = surname if is_last else given

    def _person(self, old: str) -> str:
        def word(match: re.Match[str]) -> str:
            said = match[0]
            low = said.casefold()
            if low in PARTICLES:
                return said
            if len(said) == 1:
                return self._initial(old, said)
            new = self._words.get(low)
            if new is None and len(said) <= 3 and said.isupper():  # "JD" stands for two names
                return "".join(self._dice.choice(string.ascii_uppercase) for _ in said)
            return _cased(said, new or said)

        return WORD.sub(word, old)

    def _initial(self, name: str, letter: str) -> str:
        firsts = {old[0]: new[0] for old, new in self._words.items() if old and new}
        new = firsts.get(letter.casefold()) or self._dice.choice(string.ascii_lowercase)
        return new.upper() if letter.isupper() else new.lower()

    # --- places and bodies

    def _place(self, label: str, old: str) -> str:
        if label == "STATE" and len(old) == 2 and old.isupper():
            return self._dice.choice(self._lists.towns)[1]
        if label == "COUNTRY" and len(old) <= 3 and old.isupper():
            return self._dice.choice(("USA", "UK", "UAE", "US", "IND", "NGA", "DEU", "FRA", "CAN"))
        if label == "COUNTY" and old.lower().endswith(" county"):
            return self._dice.choice(self._lists.places[label]) + " County"
        return self._dice.choice(self._lists.places[label])

    def _street(self, old: str) -> str:
        dice = self._dice
        if dice.random() < 0.5:
            keep = dice.random() < 0.5
            named = [w for w in WORD.findall(old) if len(w) > 3 and w.casefold() not in _STREETS]
            target = named[0] if named and not keep else ""
            new = _digits(old, dice)
            return new.replace(target, self._name_of_street(), 1) if target else new
        kind = dice.choice(("St", "Street", "Ave", "Avenue", "Rd", "Road", "Dr", "Drive", "Lane", "Ln",
                            "Blvd", "Court", "Ct", "Way", "Pl", "Close", "Crescent", "Terrace", "Pkwy",
                            "Circle", "Highway", "Gardens", "Row", "Square", "Loop", "Trail"))  # fmt: skip
        number = str(
            dice.choice((dice.randint(1, 99), dice.randint(100, 9999), dice.randint(1, 30000)))
        )
        name = self._name_of_street()
        unit = dice.choice(("", "", "", f" Apt {dice.randint(1, 40)}", f", Unit {dice.randint(1, 20)}B",
                            f" #{dice.randint(1, 999)}", f", Flat {dice.randint(1, 30)}",
                            f" Suite {dice.randint(100, 900)}", f", Apt. {dice.randint(1, 999)}"))  # fmt: skip
        way = dice.random()
        if way < 0.75:
            direction = dice.choice(("", "", "", "N ", "S. ", "West ", "NE "))
            return f"{number} {direction}{name} {kind}{unit}"
        if way < 0.83:
            return f"P.O. Box {number}" if dice.random() < 0.6 else f"PO Box {number}"
        if way < 0.92:  # as in much of Europe
            street = dice.choice((f"{name}straße", f"{name}weg", f"Rue {name}", f"Via {name}",
                                  f"Calle {name}", f"{name}gatan", f"{name}laan", f"ul. {name}",
                                  f"Avenida {name}", f"{name}katu", f"Rua {name}"))  # fmt: skip
            return f"{street} {dice.randint(1, 220)}{dice.choice(('', '', 'a', 'B'))}"
        return f"{number}{dice.choice('ABC')} {name} {kind}{unit}"

    def _name_of_street(self) -> str:
        way = self._dice.random()
        if way < 0.4:
            return self._dice.choice(self._lists.streets)
        if way < 0.7:
            return self._lists.person(self._dice)[1]
        if way < 0.85:
            return f"{self._dice.randint(1, 180)}th"
        return " ".join(self._lists.person(self._dice))

    def _body(self, label: str, old: str) -> str:
        """An organization: from a list, or the old one's proper words changed."""
        dice = self._dice
        listed = {"HOSPITAL": self._lists.hospitals, "SCHOOL": self._lists.schools}
        if dice.random() < 0.4:
            if label in listed:
                return dice.choice(listed[label])
            if label == "ORGANIZATION":
                return self._company()
        proper = [
            word
            for word in WORD.findall(old)
            if word[0].isupper() and len(word) > 2 and word.casefold() not in _GENERIC
        ]
        if not proper:
            return old
        target = dice.choice(proper)
        way = dice.random()
        new = (
            self._lists.person(dice)[1] if way < 0.5
            else dice.choice(self._lists.places["CITY"]) if way < 0.9
            else dice.choice(self._lists.streets)
        )  # fmt: skip
        return old.replace(target, _cased(target, new))

    def _company(self) -> str:
        dice = self._dice
        if dice.random() < 0.25:
            return dice.choice(self._lists.organizations)
        names = [self._lists.person(dice)[1] for _ in range(3)]
        tail = dice.choice(("Inc", "Inc.", "LLC", "Ltd", "Ltd.", "Group", "& Sons", "PLC", "GmbH", "Corp",
                            "Holdings", "Partners", "Associates", "Insurance", "Bank", "Logistics",
                            "Pharmacy", "Foundation", "Trust", "Consulting", "Motors", "Foods", "Labs",
                            "Solutions", "Services", "Construction", "Law Group", "S.A.", "BV", ""))  # fmt: skip
        head = dice.choice((names[0], f"{names[0]} {names[1]}", f"{names[0]}-{names[1]}",
                            f"{names[0]}, {names[1]} and {names[2]}", f"{names[0]} and {names[1]}",
                            dice.choice(self._lists.places["CITY"])))  # fmt: skip
        return f"{head} {tail}".strip()

    # --- dates and numbers

    def _date(self, old: str) -> str:
        dice = self._dice
        if dice.random() < _NEW_FORM and any(map(str.isdigit, old)) and len(old) > 3:
            return self._any_date()

        def number(match: re.Match[str]) -> str:
            value, width = int(match[0]), len(match[0])
            if width == 4:
                return str(dice.randint(1925, 2026))
            if width == 2 and value > 31:
                return f"{dice.randint(32, 99)}"
            if width > 4:
                return _digits(match[0], dice)
            return f"{dice.randint(1, 12 if value <= 12 else 28):0{width}d}"

        def word(match: re.Match[str]) -> str:
            for names in (MONTHS, DAYS):
                for place, name in enumerate(names):
                    said = match[0].casefold()
                    if (
                        len(said) >= 3 and name.casefold().startswith(said)
                    ) or said == name.casefold():
                        new = names[(place + dice.randint(1, len(names))) % len(names)]
                        short = len(match[0]) < len(name) and len(match[0]) <= 4
                        return _cased(match[0], new[: max(3, len(match[0]))] if short else new)
            return match[0]

        return re.sub(r"[^\W\d_]+", word, re.sub(r"\d+", number, old))

    def _any_date(self) -> str:
        dice = self._dice
        year, month, day = dice.randint(1925, 2026), dice.randint(1, 12), dice.randint(1, 28)
        name, short = MONTHS[month - 1], MONTHS[month - 1][:3]
        tail = "th" if 3 < day < 21 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
        return dice.choice((
            f"{month}/{day}/{year}", f"{month:02d}/{day:02d}/{year}", f"{day:02d}/{month:02d}/{year}",
            f"{month}/{day}/{year % 100:02d}", f"{year}-{month:02d}-{day:02d}", f"{name} {day}, {year}",
            f"{day} {name} {year}", f"{day}{tail} {name} {year}", f"{name} {day}{tail}", f"{short} {day}",
            f"{day}-{short}-{year}", f"{day} {short} {year % 100:02d}", f"{month}/{day}", f"{name} {year}",
            f"{day:02d}.{month:02d}.{year}", f"{day}.{month}.{year % 100:02d}", f"{year}/{month:02d}/{day:02d}",
            f"{short.upper()} {day} {year}", f"{day:02d}{short.upper()}{year}", f"{dice.choice(DAYS)}, {name} {day}, {year}",
            f"{dice.choice(DAYS)[:3]} {day} {short}", f"{month}-{day}-{year % 100:02d}", f"{year}{month:02d}{day:02d}",
            f"{short}. {day}, {year}", f"the {day}{tail} of {name}", f"{day}{tail} of {name}, {year}", f"{day}/{month}/{year % 100:02d}",
        ))  # fmt: skip

    def _year(self, old: str) -> str:
        return re.sub(r"\d{4}", lambda _: str(self._dice.randint(1925, 2026)), old)

    def _time(self, old: str) -> str:
        def number(match: re.Match[str]) -> str:
            first = match.start() == 0
            if len(match[0]) == 4:
                return f"{self._dice.randint(0, 23):02d}{self._dice.randint(0, 59):02d}"
            return f"{self._dice.randint(1, 12 if first else 59):0{len(match[0])}d}"

        return re.sub(r"\d+", number, old)

    def _age(self, old: str) -> str:
        def number(match: re.Match[str]) -> str:
            old_years = int(match[0]) > 18
            return str(self._dice.randint(19, 99) if old_years else self._dice.randint(1, 18))

        return re.sub(r"\d+", number, old, count=1)

    def _phone(self, old: str) -> str:
        dice = self._dice
        if dice.random() > _NEW_FORM or len(re.sub(r"\D", "", old)) < 8:
            return _digits(old, dice)
        a, b, c = dice.randint(201, 989), dice.randint(200, 999), dice.randint(0, 9999)
        return dice.choice((
            f"({a}) {b}-{c:04d}", f"{a}-{b}-{c:04d}", f"{a}.{b}.{c:04d}", f"+1 {a} {b} {c:04d}", f"{a}{b}{c:04d}",
            f"1-{a}-{b}-{c:04d}", f"+1-{a}-{b}-{c:04d} x{dice.randint(1, 9999)}", f"({a}){b}-{c:04d}",
            f"+44 20 7{a} {c:04d}", f"07{b}{a}{dice.randint(100, 999)}", f"07{dice.randint(100, 999)} {a}{b}", f"020 7{b} {c:04d}",
            f"+49 {a} {b}{c:04d}", f"+91 98{a} {b}{dice.randint(10, 99)}", f"+33 1 {c:04d} {b}", f"+234 80{b} {c:04d}",
            f"0{dice.randint(1, 9)} {c:04d} {dice.randint(1000, 9999)}", f"+61 4{dice.randint(10, 99)} {a} {b}", f"+{dice.randint(20, 99)}-{a}-{b}{c:04d}",
            f"{a}-{b}-{c:04d} ext. {dice.randint(1, 999)}", f"{b}-{c:04d}", f"001-{a}-{b}-{c:04d}", f"0{a} {b}{c:04d}",
        ))  # fmt: skip

    def _postal(self, old: str) -> str:
        if re.fullmatch(r"\d{5}(-\d{4})?", old) and self._dice.random() < 0.7:
            return self._dice.choice(self._lists.towns)[2] + _digits(old[5:], self._dice)
        return _scrambled(old, self._dice)

    def _code(self, old: str) -> str:
        """Another number of the same form; letters at its start often say whose it is and stay."""
        dice = self._dice
        if dice.random() < 0.15 and any(map(str.isdigit, old)):
            letters = "".join(
                dice.choice(string.ascii_uppercase) for _ in range(dice.randint(0, 3))
            )
            sign = dice.choice(("", "", "-", " ", "/"))
            return f"{letters}{sign if letters else ''}{dice.randint(10**4, 10 ** dice.randint(5, 12))}"
        if dice.random() < 0.5:
            return _digits(old, dice)
        return _scrambled(old, dice)

    def _electronic(self, old: str) -> str:
        """E-mail, URL, login: names of the document where there are some, else other letters."""
        dice = self._dice

        def word(match: re.Match[str]) -> str:
            said = match[0]
            if said.casefold() in _NET:
                return said
            if said.casefold() in self._words:
                return _ascii(self._words[said.casefold()].lower())
            if self._people and dice.random() < 0.4:
                return _ascii(dice.choice(dice.choice(self._people)).lower())
            if dice.random() < 0.5:
                return said
            return _ascii(_cased(said, dice.choice(self._lists.person(dice))))

        return _digits(WORD.sub(word, old), dice)

    def _secret(self, old: str) -> str:
        return _scrambled(old, self._dice)

    def _job(self, old: str) -> str:
        if self._dice.random() < 0.6:
            return old
        return _cased(old, self._dice.choice(self._lists.professions))

    def _nation(self, old: str) -> str:
        return self._dice.choice(self._lists.nationalities)

    def _faith(self, old: str) -> str:
        return self._dice.choice((old, self._dice.choice(self._lists.religions)))


Maker = Callable[[Swap, str], str]


def _placed(label: str) -> Maker:
    return lambda swap, old: swap._place(label, old)


def _bodied(label: str) -> Maker:
    return lambda swap, old: swap._body(label, old)


MAKERS: dict[str, Maker] = {
    **{label: _placed(label) for label in ("CITY", "STATE", "COUNTY", "COUNTRY")},
    **{label: _bodied(label) for label in ("HOSPITAL", "SCHOOL", "ORGANIZATION", "EMPLOYER")},
    **dict.fromkeys(("DATE", "BIRTH_DATE", "DEATH_DATE"), Swap._date),
    **dict.fromkeys(("EMAIL", "URL", "USERNAME"), Swap._electronic),
    **dict.fromkeys(("PHONE", "FAX"), Swap._phone),
    **dict.fromkeys(("ZIP", "POSTAL_CODE"), Swap._postal),
    **dict.fromkeys(("API_KEY", "PASSWORD", "SECRET", "PRIVATE_KEY"), Swap._secret),
    "LOCATION": lambda swap, old: (
        old if swap._dice.random() < 0.5 else swap._place("LOCATION", old)
    ),
    "FACILITY": lambda swap, old: _digits(swap._body("FACILITY", old), swap._dice),
    "STREET_ADDRESS": Swap._street,
    "YEAR": Swap._year,
    "TIME": Swap._time,
    "AGE": Swap._age,
    "PROFESSION": Swap._job,
    "NATIONALITY": Swap._nation,
    "RELIGION": Swap._faith,
    **{label: lambda swap, old: old for label in (
        "ETHNICITY", "POLITICS", "ORIENTATION", "TRADE_UNION", "GENDER", "MARITAL_STATUS", "TITLE",
        "BIOMETRIC", "PHOTO", "CONNECTION_STRING", "UNKNOWN")},
}  # fmt: skip
_CASED = frozenset(
    "CITY COUNTY COUNTRY LOCATION HOSPITAL SCHOOL ORGANIZATION EMPLOYER FACILITY STREET_ADDRESS "
    "NATIONALITY".split()
)
_STREETS = frozenset("street avenue road drive lane boulevard court suite unit flat floor".split())
_GENERIC = frozenset(
    "hospital clinic medical center centre health care university college school high of the and "
    "for inc ltd llc bank group company corp institute department general community memorial "
    "children regional services service pharmacy insurance saint st royal national primary north "
    "south east west county city state ward room building hall house station airport park unit".split()
)
_NET = frozenset("www http https com org net edu gov co uk de fr in au ca io mail html php".split())


def _cased(old: str, new: str) -> str:
    """The new value in the old one's capitals."""
    if old.isupper() and len(old) > 1:
        return new.upper()
    return new.lower() if old.islower() else new


def _digits(old: str, dice: random.Random) -> str:
    """Other digits; a leading one stays none."""
    return re.sub(r"\d", lambda m: str(dice.randint(m[0] != "0", 9)), old)


def _scrambled(old: str, dice: random.Random) -> str:
    """Other digits, other letters, same form."""
    new = _digits(old, dice)
    return re.sub(
        r"[A-Za-z]", lambda m: dice.choice(
            string.ascii_uppercase if m[0].isupper() else string.ascii_lowercase), new,
    )  # fmt: skip


def _ascii(word: str) -> str:
    from scrubjay.operators.names import ascii_of

    return re.sub(r"[^A-Za-z0-9]", "", ascii_of(word)) or "user"


def _alike(one: str, other: str) -> bool:
    """Two spellings of one name: first letter and length agree, one letter differs or moved."""
    if one == other or one[0] != other[0] or abs(len(one) - len(other)) > 1 or len(one) < 5:
        return False
    return sum(a != b for a, b in zip(one, other, strict=False)) <= 1 or sorted(one) == sorted(
        other
    )


def _misspelt(name: str, dice: random.Random) -> str:
    if len(name) < 4:
        return name
    at = dice.randrange(1, len(name) - 1)
    way = dice.randrange(3)
    if way == 0:
        return name[:at] + name[at + 1 :]
    if way == 1:
        return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    return name[:at] + dice.choice("aeiousnrt") + name[at + 1 :]
