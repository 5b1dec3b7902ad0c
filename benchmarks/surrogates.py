"""Surrogates of a domain: how many a second, cold and warm, on one core.

    python benchmarks/surrogates.py --json benchmarks/results/surrogates.json

Notes of a page's identifiers about patients, each with a name in three forms, telephone, MRN, SSN,
e-mail and town; the findings are given, so that replacing alone is measured, and what is kept in
the vault with it. A surrogate is one finding replaced. Cold: patients that the domain never saw.
Stored: they are in the vault, but this process has an empty cache. Known: this process has seen
every value, but never in this company (a note lacks one of its values). Warm: it has seen the same.
Names, numbers: columns of a table, one value a document. Seconds are the processor's; waiting for
the disk is not in them.
"""

from __future__ import annotations

import argparse
import datetime
import random
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import harness

from scrubjay import operators
from scrubjay.engine import BATCH_DOCUMENTS
from scrubjay.operators import names
from scrubjay.replace import replace
from scrubjay.types import Document, Finding
from scrubjay.vault import slots
from scrubjay.vault.domain import Domain
from scrubjay.vault.vault import Vault

OPENER = slots.Opener("file", b"benchmark key of 32 bytes, known")
RUNS = 5
TODAY = datetime.date(2026, 11, 21)
SURROGATE = operators.make("surrogate", {})
Note = tuple[Document, list[Finding]]


def people(count: int) -> list[str]:
    """Different English names, the same every time."""
    draw, found = random.Random(7), dict[str, None]()
    given = [name for part in names.GENDERS for name in names.pool(names.Role("en", part))]
    while len(found) < count:
        found[f"{draw.choice(given)} {draw.choice(names.pool(names.Role('en', 'family')))}"] = None
    return list(found)


def note(number: int, name: str) -> Note:
    """What is found in a note of a patient."""
    given, family = name.split()
    values = [
        ("PERSON", name),
        ("MRN", f"MRN-{number:07}"),
        ("PHONE", f"(617) 8{number // 10000 % 100:02}-{number % 10000:04}"),
        ("PERSON", family),
        ("SSN", f"{123 + number // 10**6}-{number // 10**4 % 100:02}-{number % 10**4:04}"),
        ("EMAIL", f"{given}.{family}{number}@clinic.org".lower()),
        ("CITY", "Boston"),
        ("PERSON", f"{given[0]}. {family}"),
    ]
    return lines(values, f"patient {number}")


def lines(values: list[tuple[str, str]], group: str) -> Note:
    """A document that has these values, one a line."""
    findings, start = [], 0
    for label, value in values:
        entity = 1 if label == "PERSON" else 0
        findings.append(Finding(start, start + len(value), label, 1.0, "given.v1", entity))
        start += len(value) + 1
    return Document("\n".join(value for _, value in values), group=group), findings


def without(each: Note, which: int) -> Note:
    """The note, but for one of its values."""
    document, findings = each
    values = [(f.label, document.text[f.start : f.end]) for f in findings]
    return lines(values[:which] + values[which + 1 :], document.group)


def replaced(domain: Domain, pseudonyms: Any, notes: list[Note]) -> int:
    """Every finding of every note, as the engine does it; how many there were."""
    key, memory, count = domain.lasting("operators"), dict[str, Any](), 0

    def one(each: Note) -> int:
        document, findings = each
        scene = operators.Scene(document, findings, key, memory, TODAY, domain, pseudonyms)
        return len(replace(scene, lambda label: ("surrogate.v1", SURROGATE))[1])

    for start in range(0, len(notes), BATCH_DOCUMENTS):
        some = notes[start : start + BATCH_DOCUMENTS]
        groups = (document.group for document, _ in some)
        count += sum(pseudonyms.kept(groups, partial(map, one, some)))
    return count


def rate(work: Callable[[], int], runs: int = RUNS) -> dict[str, Any]:
    """Surrogates a second of processor time, best of the runs."""
    counts: list[int] = []
    told = harness.summary([harness.once(lambda: counts.append(work())) for _ in range(runs)])
    return {"per_s": round(counts[0] / told["best_s"]), **told}


def measure(folder: Path, count: int) -> dict[str, Any]:
    """All of it."""
    vault = Vault.init(folder, OPENER)
    domain = vault.add_tenant("t").add_domain("d")
    notes = [note(number, name) for number, name in enumerate(people(count))]
    columns = [lines([("PERSON", name)], "") for name in people(count)]
    numbers = [lines([("MRN", f"MRN-{n:07}")], "") for n in range(count)]
    used = domain.pseudonyms()
    result: dict[str, Any] = {}
    for name, given in (("notes", notes), ("names", columns), ("numbers", numbers)):
        result[f"{name}, cold"] = rate(lambda given=given: replaced(domain, used, given), 1)
        stored = lambda given=given: replaced(domain, domain.pseudonyms(), given)  # noqa: E731
        result[f"{name}, stored"] = rate(stored, 3)
        some = given[: len(given) // 5]
        if name == "notes":
            others = iter([[without(each, which) for each in some] for which in range(RUNS)])
            replaced(domain, used, some)
            result["notes, known"] = rate(
                lambda others=others: replaced(domain, used, next(others))
            )
        warm = lambda some=some: sum(replaced(domain, used, some) for _ in range(5))  # noqa: E731
        warm()
        result[f"{name}, warm"] = rate(warm)
    rows = sum(1 for _ in vault.store.rows())
    vault.close()
    return {"patients": count, "rows": rows, **result}


def main() -> None:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, dest="output")
    parser.add_argument("--patients", type=int, default=5_000)
    asked = parser.parse_args()
    harness.pin()
    with tempfile.TemporaryDirectory() as name:
        told = measure(Path(name) / "vault", asked.patients)
    rows = [(k, f"{v['per_s']:,}", v["runs"]) for k, v in told.items() if isinstance(v, dict)]
    harness.table([("", "a second", "runs"), *rows])
    packages = harness.versions("cryptography", "apsw-sqlite3mc")
    harness.write(asked.output, {"machine": harness.machine(), **packages, **told})


if __name__ == "__main__":
    main()
