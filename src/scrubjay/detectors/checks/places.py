"""Whether words before a street suffix, after a place word or around "Hospital" name one place."""

from __future__ import annotations

import re
from functools import cache

from scrubjay.detectors.checks.names import words

_UNITS = {"mg", "ml", "mcg", "g", "kg", "cc", "units", "mm", "cm", "day", "days", "weeks", "per"}
_UNITS |= {
    "years",
    "months",
    "minutes",
    "x",
    "times",
    "percent",
    "of",
    "way",
    "lane",
    "mile",
    "per",
}
_GENERIC = {
    "the",
    "a",
    "an",
    "this",
    "that",
    "our",
    "your",
    "his",
    "her",
    "their",
    "in",
    "at",
    "to",
}
_GENERIC |= {"from", "of", "and", "or", "for", "by", "with", "seen", "admitted", "transferred"}
_GENERIC |= {"discharged", "patient", "outside", "local", "another", "any", "general", "hospital"}
_GENERIC |= {
    "follow",
    "followup",
    "clinic",
    "please",
    "dear",
    "contact",
    "call",
    "emergency",
    "per",
}
_GENERIC |= {"inpatient", "outpatient", "acute", "course", "previous", "prior", "current", "self"}
_GENERIC |= {"when", "where", "after", "before", "since", "during", "if", "on", "is", "was", "high"}
_GENERIC |= {"primary", "elementary", "middle", "state", "county", "every", "each", "no", "some"}
_GENERIC |= {"referring", "referred", "attending", "presented", "came", "went", "name", "address"}
_PLAIN = {"urgent", "care", "wound", "pain", "surgery", "medical", "health", "dental", "eye", "day"}
_PLAIN |= {"cardiology", "oncology", "neurology", "orthopedic", "pediatric", "family", "medicine"}
_PLAIN |= {"coumadin", "anticoagulation", "diabetes", "heart", "failure", "sleep", "specialty"}
_PLAIN |= {
    "rehab",
    "rehabilitation",
    "psychiatric",
    "children's",
    "women's",
    "university",
    "walk-in",
}


_WORD = re.compile(r"[^\W\d_][\w'-]*")


def _words(value: str) -> list[str]:
    return _WORD.findall(value.lower())


def street(value: str) -> bool:
    """A house number and a name; not "5 mg Dr" or "2 days Way"."""
    found = _words(value)
    unit = found[0] in _UNITS or (len(found) > 2 and found[1] in _UNITS)
    return not unit and int(re.match(r"\d+", value)[0]) < 100_000  # type: ignore[index]


# "Seen by J. R. Smith MD on 3/14", "via SMS to 614": English between the street word and a number.
_NO_STREET = {"on", "to", "at", "in", "for", "by", "with", "and", "from", "of", "the", "is", "was"}
_NO_STREET |= {"md", "rn", "x", "mg", "ml", "pm", "am", "per", "every", "over", "until", "or"}


def romance(value: str) -> bool:
    """A street word with a capital letter after it; behind the abbreviation R., also a comma."""
    found = re.findall(r"[^\W\d_]+", value)[1:]
    if found and found[-1].lower() == "n":  # nº 12
        found.pop()
    if _NO_STREET & {word.lower() for word in found} or (value[0] in "rR" and value[1] == "."):
        return bool(re.match(r"[rR]\.[^,\d]+,", value)) and not _NO_STREET & set(
            map(str.lower, found)
        )
    return any(word[0].isupper() for word in found)


# Where "moved to X" names no town. New York and Washington are both.
_STATES = {"alabama", "alaska", "arizona", "arkansas", "california", "colorado", "connecticut"}
_STATES |= {"delaware", "florida", "georgia", "hawaii", "idaho", "illinois", "indiana", "iowa"}
_STATES |= {"kansas", "kentucky", "louisiana", "maine", "maryland", "massachusetts", "michigan"}
_STATES |= {"minnesota", "mississippi", "missouri", "montana", "nebraska", "nevada", "ohio"}
_STATES |= {"oklahoma", "oregon", "pennsylvania", "tennessee", "texas", "utah", "vermont"}
_STATES |= {"virginia", "wisconsin", "wyoming"}
_STATES |= {"new jersey", "new mexico", "new hampshire", "north carolina", "south carolina"}
_STATES |= {"north dakota", "south dakota", "rhode island", "west virginia"}
_TOWN_TAILS = {"center", "centre", "park", "point", "bay", "rock", "heights", "springs", "falls"}
_TOWN_TAILS |= {"station", "bluff", "valley", "grove", "beach", "landing", "cross", "hill", "hills"}


def town(value: str) -> bool:
    """Not a home, a month, a role or another everyday word, nor a whole state."""
    found = _words(value)
    if " ".join(found) in _STATES:
        return False
    if len(found) == 2 and found[1] in _TOWN_TAILS:  # Grundy Center
        found.pop()
    return bool(found) and _no_town().isdisjoint(found)


_IN_TOWNS = {"am", "an", "im", "north", "south", "east", "west", "new", "white", "black", "green"}
_IN_TOWNS |= {"city", "left"}


@cache
def _no_town() -> frozenset[str]:
    told = words("not_names") | {"assisted", "nursing", "group", "may", "general", "care"}
    return told - _IN_TOWNS


def county(value: str) -> bool:
    """Named, not "the County"."""
    return _words(value)[0] not in _GENERIC


def named(value: str) -> bool:
    """Mercy General Hospital; not "The Hospital", "Seen At Mercy Hospital" or "Wound Clinic"."""
    own = [word for word in _words(value) if word not in _INSTITUTIONS]
    if not own or set(own) & (_GENERIC - _HEADS):
        return len(own) > 2 and own[0] == "our" and not set(own[1:]) & _GENERIC
    return any(word not in _GENERIC | _PLAIN for word in own)


_DOCUMENTS = {
    "discharge",
    "summary",
    "brief",
    "report",
    "note",
    "consult",
    "record",
    "records",
    "new",
}
_DOCUMENTS |= {"department", "dept", "unit", "psych", "va", "skilled", "day", "same", "ambulatory"}
_DOCUMENTS |= {"date", "of", "history", "physical", "progress", "being", "via", "she", "he", "pt"}
_DOCUMENTS |= {"will", "be", "as", "up", "during", "through", "long", "term"}
_TRADES = {"imaging", "radiology", "pediatric", "pathology", "associates", "group", "practice"}
_TRADES |= {"nursing", "rehab", "medical", "center", "centre", "health", "system"}


def named_capitals(value: str) -> bool | tuple[int, int]:
    """The name in a line of capitals: what stands from the last everyday word on."""
    found = [(word.start(), word[0].lower()) for word in re.finditer(r"[\w.\x27&-]+", value)]
    plain = _GENERIC - _HEADS | _DOCUMENTS
    begin = 0
    for place, (_, word) in enumerate(found[:-1]):
        if word.rstrip(".") in plain and word not in {"new", "of"}:
            begin = place + 1
    own = [word for _, word in found[begin:] if word not in _INSTITUTIONS | _PLAIN | _GENERIC]
    if not any(word not in _DOCUMENTS | _TRADES for word in own):
        return False
    return found[begin][0], len(value)


_NO_PRACTICE = {
    "delta",
    "good",
    "poor",
    "needs",
    "requires",
    "goes",
    "routine",
    "regular",
    "senior",
}
_NO_PRACTICE |= {
    "developmental",
    "adolescent",
    "neonatal",
    "community",
    "go",
    "outpatient",
    "refuses",
}
_NO_PRACTICE |= {"catholic", "lutheran", "methodist", "baptist", "his", "her", "private", "adult"}


def practice(value: str) -> bool:
    """Treasure Valley Pediatrics; not "General Pediatrics" or "Goes To Church"."""
    own = [word for word in _words(value)[:-1] if word not in _INSTITUTIONS | _PLAIN]
    stop = _GENERIC | _DOCUMENTS | _NO_PRACTICE - {"lutheran", "methodist", "baptist", "catholic"}
    if any(word in stop for word in own):
        return False
    return any(word not in _NO_PRACTICE | {"assisted", "behavioral", "memory"} for word in own)


_INSTITUTIONS = {"hospital", "hospitals", "clinic", "clinics", "center", "centre", "pharmacy"}
_INSTITUTIONS |= {"school", "university", "college", "academy", "home", "healthcare", "hospice"}
_HEADS = {
    "general",
    "high",
    "middle",
    "primary",
    "elementary",
    "state",
    "county",
    "emergency",
    "acute",
}


def head(value: str) -> bool:
    """A name follows the word Hospital, University ..."""
    found = _words(value)
    stop = {"course", "day", "stay", "discharge", "admission", "number", "record", "policy", "unit"}
    return len(found) > 1 and not stop & set(found[1:3])


def company(value: str) -> bool:
    """A name before the legal form, or an employer."""
    found = _words(value)
    stop = {
        "self",
        "the",
        "a",
        "home",
        "inc",
        "llc",
        "patient",
        "employed",
        "retired",
        "unemployed",
    }
    return found[0] not in stop


def dutch(value: str) -> bool:
    """PostNL uses no SA, SD or SS, and these letters are rather a unit or a time."""
    return value[-2:] not in {
        "SA",
        "SD",
        "SS",
        "MG",
        "ML",
        "AM",
        "PM",
        "CC",
        "KG",
        "HZ",
        "IU",
        "AD",
    }
