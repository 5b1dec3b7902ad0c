"""Presidio's names for what is found, and ours. Ours that Presidio has no name for keep their own,
so that nothing found goes untold.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path

from scrubjay import labels
from scrubjay.types import Finding

# A pattern that finds one country's identifier only, where its label alone says less.
PATTERNS = {
    "us_tax_named": "US_PROVIDER_TAX_ID", "us_routing_in_context": "ABA_ROUTING_NUMBER",
    "us_npi_named": "US_NPI", "us_mbi": "US_MBI", "uuid": "UUID", "gb_nhs_named": "UK_NHS",
    "gb_nino": "UK_NINO", "gb_driver_licence": "UK_DRIVING_LICENCE", "postal_uk": "UK_POSTCODE",
    "es_dni": "ES_NIF", "it_fiscal_code": "IT_FISCAL_CODE", "it_card_named": "IT_IDENTITY_CARD",
    "pl_named": "PL_PESEL", "de_tax": "DE_TAX_ID", "de_tax_named": "DE_TAX_NUMBER",
    "de_identity_card": "DE_ID_CARD", "de_pension": "DE_SOCIAL_SECURITY",
    "de_health_named": "DE_HEALTH_INSURANCE", "se_person": "SE_PERSONNUMMER",
    "fi_hetu": "FI_PERSONAL_IDENTITY_CODE", "tr_identity_named": "TR_NATIONAL_ID",
    "ca_sin_named": "CA_SIN", "postal_canada": "CA_POSTAL_CODE", "au_business_named": "AU_ABN",
    "au_medicare": "AU_MEDICARE", "in_pan": "IN_PAN", "in_aadhaar": "IN_AADHAAR",
    "in_epic_named": "IN_VOTER", "in_plate": "IN_VEHICLE_REGISTRATION", "in_gstin": "IN_GSTIN",
    "kr_rrn": "KR_RRN", "th_pin": "TH_TNIN", "sg_identity": "SG_NRIC_FIN",
    "za_identity": "ZA_ID_NUMBER", "ng_named": "NG_NIN",
}  # fmt: skip
HERE = ("Everywhere", "United States")  # whose names a label takes where nothing tells more


@cache
def groups() -> dict[str, dict[str, dict[str, str]]]:
    """The table: by group and entity, our labels with an example each."""
    return tomllib.loads((Path(__file__).parent / "entities.toml").read_text("utf-8"))


@cache
def table() -> dict[str, tuple[str, ...]]:
    """Our labels by Presidio's name."""
    return {name: tuple(by) for group in groups().values() for name, by in group.items()}


@cache
def known() -> tuple[str, ...]:
    """Every name that an answer may have or a request may ask for."""
    return tuple(sorted({*table(), *(_plain(label) for label in labels.table())}))


def label(entity: str) -> str:
    """Ours for a name of Presidio's, as the log counts it: never a caller's own word."""
    if entity in table():
        return table()[entity][0]
    return entity if entity in labels.table() else "OTHER"


def asked(entities: Collection[str]) -> Iterator[str]:
    """The labels that these names stand for. A name that a request brings along is its own."""
    for entity in entities:
        yield entity
        yield from table().get(entity, ())


def entity(finding: Finding, wanted: Collection[str]) -> str:
    """What to call a finding, of the names that are wanted if any are."""
    exact = PATTERNS.get(finding.detector.partition(":")[2], "")
    if not wanted:
        return exact or _plain(finding.label)
    if exact in wanted:
        return exact
    found = _first(finding.label, [name for name in table() if name in wanted], wanted)
    return found or _plain(finding.label)


@cache
def _plain(label: str) -> str:
    names = [name for group in HERE for name in groups()[group]]
    return _first(label, names, names) or label


def _first(label: str, names: Iterable[str], same: Collection[str]) -> str:
    """The name that says most of a label: its own, the first that stands for it, its parent's."""
    for one in labels.lineage(label):
        if one in same:
            return one
        for name in names:
            if one in table()[name]:
                return name
    return ""
