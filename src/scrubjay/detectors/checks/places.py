"""Whether words before a street suffix, after a place word or around "Hospital" name one place."""

from __future__ import annotations

import re

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


def _words(value: str) -> list[str]:
    return re.findall(r"[^\W\d_][\w'-]*", value.lower())


def street(value: str) -> bool:
    """A house number and a name; not "5 mg Dr" or "2 days Way"."""
    found = _words(value)
    unit = found[0] in _UNITS or (len(found) > 2 and found[1] in _UNITS)
    return not unit and int(re.match(r"\d+", value)[0]) < 100_000  # type: ignore[index]


# "Seen by J. R. Smith MD on 3/14", "via SMS to 614": English between the street word and a number.
_NO_STREET = {"on", "to", "at", "in", "for", "by", "with", "and", "from", "of", "the", "is", "was"}
_NO_STREET |= {"md", "rn", "x", "mg", "ml", "pm", "am", "per", "every", "over", "until", "or"}


def romance(value: str) -> bool:
    """A street word with a capital letter after it; R. alone needs a comma and a number."""
    found = re.findall(r"[^\W\d_]+", value)[1:]
    if found and found[-1].lower() == "n":  # nº 12
        found.pop()
    if _NO_STREET & {word.lower() for word in found} or (value[0] in "rR" and value[1] == "."):
        return bool(re.match(r"[rR]\.[^,\d]+,", value)) and not _NO_STREET & set(
            map(str.lower, found)
        )
    return any(word[0].isupper() for word in found)


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


_IN_TOWN_NAMES = {"am", "an", "im", "north", "south", "east", "west", "new", "white", "black"}
_IN_TOWN_NAMES |= {"green", "city", "left"}
_NO_EMPLOYER = {"self", "the", "a", "home", "inc", "llc", "patient", "employed", "retired"}
_NO_EMPLOYER |= {"unemployed"}
_NOT_DUTCH = {"SA", "SD", "SS", "MG", "ML", "AM", "PM", "CC", "KG", "HZ", "IU", "AD"}
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
