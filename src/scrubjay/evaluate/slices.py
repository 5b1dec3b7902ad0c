"""The groups that are measured apart: kinds of documents, and kinds of names of persons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from scrubjay import labels
from scrubjay.evaluate.gold import Record
from scrubjay.evaluate.mapping import LabelMap
from scrubjay.operators import names

UPPER, LOWER = 0.6, 0.01  # shares of upper case among letters that have case
LENGTHS = ((200, "under 200"), (1000, "200 to 999"), (5000, "1,000 to 4,999"))


def of_document(record: Record) -> dict[str, str]:
    """The slice that a document is in, of each kind."""
    return {
        "case": case(record.text),
        "length": next((told for end, told in LENGTHS if len(record.text) < end), "5,000 and more"),
        "register": record.register or "not said",
        "language": record.language or "not said",
    }


def case(text: str) -> str:
    """upper, lower, mixed, or none where the script has no case."""
    upper = sum(map(str.isupper, text))
    lower = sum(map(str.islower, text))
    if upper + lower <= len(text) / 10:
        return "none"
    share = upper / (upper + lower)
    return "upper" if share >= UPPER else "lower" if share <= LOWER else "mixed"


def is_person(label: str, label_map: LabelMap) -> bool:
    """Whether a gold label marks names of persons."""
    return "PERSON" in labels.lineage(label_map.home(label))


def of_person(name: str) -> dict[str, str]:
    """The culture and gender that the lists know the given names of a name by; the culture that of
    family names, where no given name is listed."""
    words = name.replace("-", " ").replace(".", " ").split()
    roles = [names.roles(word) for word in words]
    given = [[role for role in told if role.part in names.GENDERS] for told in roles]
    tell = given if any(given) else roles
    return {
        "culture": _most(role.culture.partition("-")[0] for told in tell for role in told),
        "gender": _most(role.part for told in given for role in told),
    }


def _most(told: Iterable[str]) -> str:
    """What is told most often; `several` where two are, `unlisted` where nothing is told."""
    first, second = [*Counter(told).most_common(2), ("unlisted", 0), ("", -1)][:2]
    return "several" if first[1] == second[1] else first[0]
