"""Another value of the same kind in the place of a real one: a name for a name, a town for a town.

The same value of the same group gets the same surrogate, in this run and in every run with this
key; different values of a run get different ones; none is a real value of its document. In a domain
of a vault all that holds for all runs on all hosts, and what stands for what is kept. Surrogates
hide what detection missed from readers, a second layer and never recall (PMC7647331).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from msgspec import Meta

from scrubjay import labels, plugins
from scrubjay.operators import (
    Scene,
    contacts,
    dates,
    generalize,
    persons,
    places,
    shapes,
)
from scrubjay.operators.ledger import facts, ledger_of
from scrubjay.types import Finding

Substitute = Callable[[str, Finding, Scene], str]


def surrogate(
    *,
    days: Annotated[int, Meta(ge=1, le=36500)] = 365,
    weeks: bool = False,
    times: Literal["keep", "suppress"] = "keep",
    age_cap: Annotated[int, Meta(ge=1)] = 89,
) -> plugins.Operator:
    """Dates and times go through shift.v1 and ages through generalize.v1 with these options.
    Secrets, special categories and what has no surrogate become their label, `[PASSWORD]`."""
    own: dict[str, plugins.Operator] = {
        "AGE": generalize.generalize(age_cap=age_cap),
        "DATE": dates.shift(days=days, weeks=weeks, times=times, age_cap=age_cap),
    }
    own["TIME"] = own["DATE"]

    def operate(value: str, finding: Finding, scene: Scene) -> str:
        lineage = labels.lineage(finding.label)
        for label in lineage:
            if label in own:
                told = own[label](value, finding, scene)
                alone = label == "AGE" or not scene.document.group  # many ages and dates become it
                return told if alone else _told(told, value, finding, scene)
        done = facts(scene).notes.setdefault("done", {})
        asked = (finding.label, finding.entity, value)
        if asked not in done:
            told = _substitute(lineage)(value, finding, scene)
            same = not told or told.casefold() == value.casefold()
            done[asked] = _told("" if same else told, value, finding, scene)
        return done[asked]  # type: ignore[no-any-return]

    return operate


def _told(told: str, value: str, finding: Finding, scene: Scene) -> str:
    """A surrogate, once it is kept what it stands for; the label where there is none."""
    label = f"[{finding.label}]"
    if told and told not in (value, label):
        ledger_of(scene).tell(scene.document.group, finding.label, told, value)
    return told or label


def _substitute(lineage: tuple[str, ...]) -> Substitute:
    """The nearest in the lineage. A label that labels.toml does not have is some number or code."""
    for label in lineage:
        if label in SUBSTITUTES:
            return SUBSTITUTES[label]
    return _none if lineage[0] in labels.table() else _shaped("ID")


def _none(value: str, finding: Finding, scene: Scene) -> str:
    return ""


def _person(value: str, finding: Finding, scene: Scene) -> str:
    return persons.name(value, finding.entity, scene)


def _shaped(kind: str) -> Substitute:
    return lambda value, finding, scene: shapes.shaped(value, kind, scene)


def _plain(make: Callable[[str, Scene], str]) -> Substitute:
    return lambda value, finding, scene: make(value, scene)


def _listed(kind: str, row: str) -> Substitute:
    return lambda value, finding, scene: places.one_of(value, kind, row, scene)


IDS = (
    "NATIONAL_ID", "LICENSE", "MRN", "HEALTH_PLAN", "ACCOUNT", "VEHICLE", "DEVICE", "ID"
)  # fmt: skip
SUBSTITUTES: dict[str, Substitute] = {
    "PERSON": _person,
    "USERNAME": _plain(contacts.username),
    "EMAIL": _plain(contacts.email),
    "URL": _plain(contacts.url),
    "PHONE": _plain(shapes.phone),
    "IP": _plain(shapes.address),
    "STREET_ADDRESS": _plain(places.street),
    "LOCATION": _plain(places.town),
    "COUNTY": _plain(places.county),
    "STATE": _plain(places.region),
    "COUNTRY": _plain(places.country),
    "POSTAL_CODE": _plain(places.postal),
    "COORDINATES": _plain(places.coordinates),
    "FACILITY": _plain(places.body),
    "ORGANIZATION": _plain(places.body),
    "PROFESSION": _listed("work", "professions"),
    "NATIONALITY": _listed("countries", "nationalities"),
    "CARD_SECURITY": _none,
    **{kind: _shaped(kind) for kind in (*IDS, "SSN", "CREDIT_CARD", "IBAN", "MAC")},
}
