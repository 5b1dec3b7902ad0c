"""Thirty-two characters that people can copy: no I, L, O or U, and who writes I, L or O all the
same is understood. With a check character that tells every wrong character and every swap of two.
"""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
VALUES = {character: value for value, character in enumerate(ALPHABET)}
LONGEST = 30  # characters before the check: from 31 on, two places weigh the same
_READ = str.maketrans("ILO", "110", " -\t\r\n")


def normal(written: str) -> str:
    """As it was printed, however it was typed."""
    return written.upper().translate(_READ)


def encode(raw: bytes) -> str:
    """Five bits a character; the last is filled with zeros."""
    count = -(-len(raw) * 8 // 5)
    bits = int.from_bytes(raw, "big") << count * 5 - len(raw) * 8
    return "".join(ALPHABET[bits >> 5 * at & 31] for at in reversed(range(count)))


def decode(written: str, length: int) -> bytes | None:
    """So many bytes, or None where that is not what is written."""
    characters = normal(written)
    spare = len(characters) * 5 - length * 8
    if not 0 <= spare < 5 or not set(characters) <= VALUES.keys():
        return None
    bits = 0
    for character in characters:
        bits = bits << 5 | VALUES[character]
    return None if bits & (1 << spare) - 1 else (bits >> spare).to_bytes(length, "big")


def check(characters: str) -> str:
    """The check character: a polynomial in GF(2^5) with x^5 + x^2 + 1, at x."""
    total = 0
    for character in characters:
        total = _twice(total ^ VALUES[character])
    return ALPHABET[total]


def whole(written: str) -> bool:
    """Whether it ends with its check character."""
    return len(written) > 1 and set(written) <= VALUES.keys() and check(written[:-1]) == written[-1]


def _twice(value: int) -> int:
    return value << 1 ^ 0b100101 * (value >> 4)
