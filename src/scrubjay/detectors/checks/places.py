"""Whether words before a street suffix, after a place word or around "Hospital" name one place."""

from __future__ import annotations

import re

from scrubjay.detectors.checks.names import words

_UNITS = {"mg", "ml", "mcg", "g", "kg", "cc", "units", "mm", "cm", "day", "days", "weeks", "hours"}
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


def _words(value: str) -> list[str]:
    return re.findall(r"[^\W\d_][\w'-]*", value.lower())


def street(value: str) -> bool:
    """A house number and a name; not "5 mg Dr" or "2 days Way"."""
    found = _words(value)
    return not (set(found[:2]) & _UNITS) and int(re.match(r"\d+", value)[0]) < 100_000  # type: ignore[index]


def romance(value: str) -> bool:
    """A street word with a capital letter after it."""
    return any(word[0].isupper() for word in re.findall(r"[^\W\d_]+", value)[1:])


def town(value: str) -> bool:
    """Not a home, a month, a role or another everyday word."""
    found = _words(value)
    stop = words("not_names") | {"assisted", "nursing", "group", "may", "general", "care"}
    places = {
        "am",
        "an",
        "im",
        "north",
        "south",
        "east",
        "west",
        "new",
        "white",
        "black",
        "green",
        "city",
        "left",
    }
    return bool(found) and not any(word in stop - places for word in found)


def county(value: str) -> bool:
    """Named, not "the County"."""
    return _words(value)[0] not in _GENERIC


def named(value: str) -> bool:
    """Mercy General Hospital; not "The Hospital", "Seen At Mercy Hospital" or "Wound Clinic"."""
    own = [word for word in _words(value) if word not in _INSTITUTIONS]
    if not own or set(own) & (_GENERIC - _HEADS):
        return len(own) > 2 and own[0] == "our" and not set(own[1:]) & _GENERIC
    return any(word not in _GENERIC | _PLAIN for word in own)


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
