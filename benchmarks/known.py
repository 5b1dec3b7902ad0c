"""What known values cost: 5,000 records with different fields, each looked for in its own text.

    python benchmarks/known.py --json benchmarks/results/known.json

Every record is a patient with eight fields: name, birth date, phone, SSN, MRN, address, e-mail,
employer. Its note is a made one (`texts.py`) in which that patient stands in some written forms.
Measured in one process on one core, in processor seconds, the best of several rounds:
    forms      building the forms of one record, without a text
    known      the detector `known.v1` alone: forms and search
    anonymize  the whole engine under the policy `everything`, without and with known values
    same       the detector, with the same values for every document: forms are built once
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import harness
import texts

ROUNDS = 3
LONG = 1_000_000  # characters of the text that tells how time grows


def records(count: int) -> Iterator[tuple[dict[str, tuple[str, ...]], str]]:
    """Patients, each with the note that is about them."""
    dice = random.Random(texts.SEED)
    for note in texts.notes(count):
        given, family = dice.choice(texts.GIVEN), dice.choice(texts.FAMILY)
        day = f"{dice.randint(1935, 2020)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
        known = {
            "PERSON": (f"{given} {dice.choice(texts.GIVEN)} {family}",),
            "BIRTH_DATE": (day,),
            "PHONE": (texts.phone(dice),),
            "SSN": (texts.ssn(dice),),
            "MRN": (texts.mrn(dice),),
            "STREET_ADDRESS": (texts.address(dice),),
            "EMAIL": (texts.email(dice),),
            "EMPLOYER": (f"{dice.choice(texts.FAMILY)} Works",),
        }
        yield known, _about(note, given, family, known)


def _about(note: str, given: str, family: str, known: dict[str, tuple[str, ...]]) -> str:
    """The note with a header, and with mentions of its patient."""
    number, day = known["MRN"][0], known["BIRTH_DATE"][0]
    header = f"{family.upper()}, {given}  MRN {number}  DOB {day[5:7]}/{day[8:]}/{day[:4]}\n"
    middle = note.find("\n", len(note) // 2) + 1
    mention = f"{given[0]}. {family} was called at {known['PHONE'][0]}. {given} agreed.\n"
    return header + note[:middle] + mention + note[middle:]


def measure(work: Callable[[], Any], count: int, size: int) -> dict[str, Any]:
    """Records and megabytes a second."""
    timing = harness.summary([harness.once(work) for _ in range(ROUNDS)])
    best = timing["best_s"]
    return {
        "records_per_s": harness.significant(count / best),
        "mb_per_s": harness.significant(size / best / 1e6),
        "us_per_record": harness.significant(best / count * 1e6),
        **timing,
    }


def run(count: int) -> dict[str, Any]:
    """All measurements."""
    import scrubjay
    from scrubjay import Document
    from scrubjay.detectors.known import Known
    from scrubjay.detectors.known.record import Record

    made = list(records(count))
    with_known = [Document(text, known=known) for known, text in made]
    without = [Document(text) for _, text in made]
    same = [Document(text, known=made[0][0]) for _, text in made]
    size = sum(len(text.encode()) for _, text in made)
    engine, known = scrubjay.load("everything", profile="patterns"), Known()

    def detect(documents: list[Document]) -> int:
        return sum(len(result.report.replacements) for result in engine.stream(documents))

    def forms() -> None:
        for values, _ in made:
            Record(values)

    def alone(documents: list[Document]) -> int:
        return sum(len(findings) for document in documents for findings in known.detect([document]))

    detect(with_known[:10])
    return {
        "records": count,
        "bytes": size,
        "found": {"without": detect(without), "with": detect(with_known)},
        "forms": measure(forms, count, size),
        "known": measure(lambda: alone(with_known), count, size),
        "known, same values": measure(lambda: known.detect(same), count, size),
        "anonymize, without": measure(lambda: detect(without), count, size),
        "anonymize, with": measure(lambda: detect(with_known), count, size),
        "growth": growth(made[0][0]),
    }


def growth(values: dict[str, tuple[str, ...]]) -> dict[str, float]:
    """Seconds for one text, by its length."""
    from scrubjay import Document
    from scrubjay.detectors.known import Known

    whole = texts.prose(LONG)
    sizes = [LONG >> step for step in range(5, -1, -1)]
    return {
        str(size): harness.significant(
            min(
                harness.steady(lambda s=size: Known().detect([Document(whole[:s], known=values)]))
                for _ in range(3)
            )
        )
        for size in sizes
    }


def main() -> None:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=5000)
    parser.add_argument("--json", type=Path, dest="output")
    options = parser.parse_args()
    harness.pin()
    result = run(options.records)
    rows: list[tuple[object, ...]] = [("", "records/s", "MB/s", "us/record")]
    for name, row in result.items():
        if isinstance(row, dict) and "mb_per_s" in row:
            rows.append((name, row["records_per_s"], row["mb_per_s"], row["us_per_record"]))
    harness.table(rows)
    harness.write(options.output, {**harness.machine(), **harness.scrubjay_facts(), **result})


if __name__ == "__main__":
    main()
