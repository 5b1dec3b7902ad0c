"""Two of three: a secret in three parts for paper, of which any two give it back and one gives
nothing (Shamir's scheme over GF(2^8), a line for every byte: docs/spec/vault.md, VLT-20).

A part is 64 characters in groups of four: version and number, a name of the set, 32 bytes, a check.
"""

from __future__ import annotations

import hashlib

from scrubjay.errors import VaultError
from scrubjay.vault import symbols
from scrubjay.vault.seal import LENGTH, Random

PARTS = (1, 2, 3)
VERSION = 1
SET = 3  # bytes that tell one splitting from another
CHECK = 4


def split(secret: bytes, random: Random) -> tuple[str, ...]:
    """Three parts, each to be kept by somebody else."""
    points, name = line(secret, len(PARTS), random), random(SET)
    return tuple(_written(x, name, y) for x, y in zip(PARTS, points, strict=True))


def join(first: str, second: str) -> bytes:
    """The secret. `VaultError` says which part is mistyped, or that they do not belong together."""
    (x1, name1, y1), (x2, name2, y2) = _read(first, "first"), _read(second, "second")
    if name1 != name2:
        raise VaultError("these parts come from two different splittings: find one more of either")
    if x1 == x2:
        raise VaultError(f"this is part {x1} twice: give another one")
    return xor(term(x1, y1, x2), term(x2, y2, x1))


def line(secret: bytes, count: int, random: Random) -> list[bytes]:
    """Points at 1, 2, ... of a random line for each byte, which at 0 is the secret's. One point is
    noise; any two give the line."""
    slope = random(len(secret))
    return [xor(secret, bytes(_times(a, x) for a in slope)) for x in range(1, count + 1)]


def term(x: int, y: bytes, other: int, at: int = 0) -> bytes:
    """What the point at `x` adds to the value at `at` of its line through the point at `other`: the
    XOR of both points' terms is that value."""
    weight = _times(at ^ other, _inverse(x ^ other))
    return bytes(_times(byte, weight) for byte in y)


def xor(a: bytes, b: bytes) -> bytes:
    """Two strings of one length."""
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def _written(x: int, name: bytes, y: bytes) -> str:
    body = bytes([VERSION << 4 | x]) + name + y
    characters = symbols.encode(body + hashlib.sha256(body).digest()[:CHECK])
    return " ".join(characters[at : at + 4] for at in range(0, len(characters), 4))


def _read(part: str, which: str) -> tuple[int, bytes, bytes]:
    """Number, set, bytes."""
    raw = symbols.decode(part, 1 + SET + LENGTH + CHECK)
    if raw is None or hashlib.sha256(raw[:-CHECK]).digest()[:CHECK] != raw[-CHECK:]:
        raise VaultError(f"the {which} part is mistyped: compare it with the paper, all 16 groups")
    if raw[0] >> 4 != VERSION or raw[0] & 15 not in PARTS:
        raise VaultError(f"the {which} part is of a version that this one does not read")
    return raw[0] & 15, raw[1 : 1 + SET], raw[1 + SET : -CHECK]


def _times(a: int, b: int) -> int:
    """In GF(2^8) with x^8 + x^4 + x^3 + x + 1, by shifts: no table whose cache lines could tell."""
    product = 0
    for _ in range(8):
        product ^= a * (b & 1)
        a = a << 1 ^ 0x11B * (a >> 7)
        b >>= 1
    return product


def _inverse(a: int) -> int:
    """a^254."""
    power = 1
    for _ in range(254):
        power = _times(power, a)
    return power
