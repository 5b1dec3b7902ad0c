"""Tokens and format-preserving encryption: values a second on one core.

    python benchmarks/tokens.py --json benchmarks/results/tokens.json

Cold: a new mint that never saw a value. Warm: the same values again by the same mint, which caches
nothing. Alone: one value in a call, as an operator that cannot wait
for others has it. Put back: found in a text, read by one of 76 labels' readers, and replaced, as
`scrubjay restore` does it. Primitive: `AESSIV` in a loop and nothing else, which batches beat.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import harness
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from scrubjay import labels, restore
from scrubjay.keys import Key
from scrubjay.types import Document
from scrubjay.vault import fpe, packets, token, twoperson

RUNS = 5
SYLLABLES = (
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "ha",
    "je",
    "ki",
    "lo",
    "mu",
    "na",
    "pe",
    "qi",
    "ro",
    "su",
)
CONTEXT = token.Context("north", "study-7", "PERSON")
KEY = Key(bytes(range(32)))


def main() -> None:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, dest="output")
    parser.add_argument("--values", type=int, default=100_000)
    asked = parser.parse_args()
    harness.pin()
    names = people(asked.values)
    told = {**tokens(names), **sealed(names[:1000]), **forms(names[: asked.values // 10])}
    harness.table(
        [("", "a second", "runs"), *((k, f"{v['per_s']:,}", RUNS) for k, v in told.items())]
    )
    head = {"machine": harness.machine(), **harness.versions("cryptography", "numpy")}
    harness.write(asked.output, {**head, "values": asked.values, **told})


def tokens(names: Sequence[str]) -> dict[str, Any]:
    """Reversible tokens."""
    mint = token.Mint({1: KEY}, CONTEXT)
    made = mint.tokens(names)
    prose = " was seen again on Monday by the team. ".join(made)
    primitive, plains = AESSIV(bytes(64)), [value.encode() for value in names]
    bound = token.bound(packets.PLAIN, CONTEXT, 1)
    every = [token.Mint({1: KEY}, CONTEXT._replace(label=label)) for label in labels.table()]
    put_back = restore.putting_back(token.Readers([mint, *every]), set(made))
    return {
        "mint, cold": rate(lambda: token.Mint({1: KEY}, CONTEXT).tokens(names), len(names)),
        "mint, warm": rate(lambda: mint.tokens(names), len(names)),
        "mint, 1,000 in a call": rate(lambda: parts(mint.tokens, names, 1000), len(names)),
        "mint, alone": rate(lambda: parts(mint.tokens, names[:5000], 1), 5000),
        "read": rate(lambda: mint.read(made), len(names)),
        "find in prose": rate(lambda: sum(1 for _ in packets.find(prose)), len(names)),
        "put back in prose": rate(lambda: put_back([Document(prose)]), len(names)),
        "primitive alone": rate(
            lambda: [primitive.encrypt(p, [bound]) for p in plains], len(names)
        ),
    }


def sealed(names: Sequence[str]) -> dict[str, Any]:
    """Two-person tokens."""
    private, public = twoperson.new(lambda size: bytes([3]) * size)
    mint = twoperson.Sealed({1: twoperson.Lock(KEY, public)}, CONTEXT)
    made = mint.tokens(names)
    return {
        "two-person, mint": rate(lambda: mint.tokens(names), len(names)),
        "two-person, read": rate(lambda: mint.read(made, {1: private}), len(names)),
    }


def forms(names: Sequence[str]) -> dict[str, Any]:
    """FF1."""
    secret = fpe.secret(KEY, CONTEXT)
    numbers = [f"{number * 7919 % 10**9:09d}" for number in range(len(names))]
    cipher = fpe.FF1(secret, fpe.DIGITS)
    dashed = [f"{n[:3]}-{n[3:5]}-{n[5:]}" for n in numbers]
    mixed = [f"AB {n}" for n in numbers]
    return {
        "FF1, nine digits": rate(lambda: cipher.encrypt(numbers, b"t"), len(names)),
        "FF1, nine digits, alone": rate(lambda: parts(cipher.encrypt, numbers[:1000], 1), 1000),
        "shaped, 123-45-6789": rate(lambda: fpe.shaped(secret, dashed), len(names)),
        "shaped, AB 123456789": rate(lambda: fpe.shaped(secret, mixed), len(names)),
    }


def parts(work: Callable[[Sequence[str]], object], values: Sequence[str], size: int) -> None:
    """All values, so many in a call."""
    for start in range(0, len(values), size):
        work(values[start : start + size])


def rate(work: Callable[[], object], count: int) -> dict[str, Any]:
    """Values a second of processor time, best of the runs."""
    told = harness.summary([harness.once(work) for _ in range(RUNS)])
    return {"per_s": round(count / told["best_s"]), **told}


def people(count: int) -> list[str]:
    """Different names of two words, 5 to 17 characters, the same every time."""
    draw, found = random.Random(7), dict[str, None]()
    while len(found) < count:
        words = ["".join(draw.choices(SYLLABLES, k=draw.randint(1, 4))) for _ in range(2)]
        found[" ".join(words).title()] = None
    return list(found)


if __name__ == "__main__":
    main()
