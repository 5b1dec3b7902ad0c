"""Format-preserving encryption: FF1 of NIST SP 800-38G, as its revision (second draft) has it.

A nine-digit number becomes another nine-digit number, and comes back with the key. FF3 is gone from
the standard, and domains under a million values are refused (docs/spec/token.md, FPE-n). Nothing
tells a wrong key from a right one: where a value need not keep its form, take a token.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import TypeVar

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from numpy.typing import NDArray

from scrubjay.errors import OperatorError, PolicyError, VaultError
from scrubjay.keys import Key
from scrubjay.vault.token import Context, in_groups

LEAST = 1_000_000  # FPE-2
ROUNDS = 10
BLOCK = 16
DIGITS, UPPER, LOWER = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
CLASSES = {"9": DIGITS, "A": UPPER, "a": LOWER}
FEW = 16  # values from which on arrays pay
Numbers = NDArray[np.uint64]
N = TypeVar("N", int, Numbers)  # a numeral string as the number it writes, or a column of them


class FF1:
    """The cipher over one alphabet. Values come in batches: a batch shares what can be shared."""

    def __init__(self, key: bytes, alphabet: str) -> None:
        if len(key) not in (16, 24, 32):
            raise VaultError(f"FF1 takes an AES key of 16, 24 or 32 bytes, this has {len(key)}")
        if not 2 <= len(alphabet) <= 65536 or len(set(alphabet)) < len(alphabet):
            raise PolicyError("an FF1 alphabet has 2 to 65536 characters, none of them twice")
        self._key = key
        self._alphabet = alphabet
        self._numbers = {character: number for number, character in enumerate(alphabet)}
        self._codes = _codes(alphabet)
        self._order = np.argsort(self._codes)

    def encrypt(self, values: Sequence[str], tweak: bytes = b"") -> list[str]:
        """A value of the same length for each, and for each another."""
        return self._all(values, tweak, backwards=False)

    def decrypt(self, values: Sequence[str], tweak: bytes = b"") -> list[str]:
        """The values again. A wrong key or tweak gives wrong values, not an error."""
        return self._all(values, tweak, backwards=True)

    def _all(self, values: Sequence[str], tweak: bytes, *, backwards: bool) -> list[str]:
        aes = Cipher(algorithms.AES(self._key), modes.ECB()).encryptor()  # noqa: S305 - for FF1

        def work(group: Sequence[str]) -> list[str]:
            rounds = _Rounds(aes, len(self._alphabet), len(group[0]), tweak)
            if rounds.narrow and len(group) >= FEW:
                return self._together(rounds, group, backwards)
            return [self._one(rounds, value, backwards) for value in group]

        return in_groups(values, len, work)

    def _one(self, rounds: _Rounds, value: str, backwards: bool) -> str:
        left, right = value[: rounds.u], value[rounds.u :]
        a, b = rounds.run(self._number(left), self._number(right), backwards)
        return self._text(a, rounds.u) + self._text(b, rounds.v)

    def _number(self, numerals: str) -> int:
        radix, number = len(self._alphabet), 0
        for character in numerals:
            if character not in self._numbers:
                raise _strange()
            number = number * radix + self._numbers[character]
        return number

    def _text(self, number: int, length: int) -> str:
        radix, found = len(self._alphabet), []
        for _ in range(length):
            number, numeral = divmod(number, radix)
            found.append(self._alphabet[numeral])
        return "".join(reversed(found))

    def _together(self, rounds: _Rounds, values: Sequence[str], backwards: bool) -> list[str]:
        """The same for values of one length, as columns."""
        length = rounds.u + rounds.v
        codes = _codes("".join(values))
        places = np.searchsorted(self._codes, codes, sorter=self._order)
        numerals = self._order[np.minimum(places, len(self._alphabet) - 1)]
        if not np.array_equal(self._codes[numerals], codes):
            raise _strange()
        rows = numerals.astype(np.uint64).reshape(-1, length)
        high, low = _powers(len(self._alphabet), rounds.u), _powers(len(self._alphabet), rounds.v)
        a, b = rounds.run(rows[:, : rounds.u] @ high, rows[:, rounds.u :] @ low, backwards)
        found = np.hstack([a[:, None] // high, b[:, None] // low]) % len(self._alphabet)
        joined = self._codes[found].tobytes().decode("utf-32-le", "surrogatepass")
        return [joined[at : at + length] for at in range(0, len(joined), length)]

    def __repr__(self) -> str:
        return f"FF1(<secret>, radix {len(self._alphabet)})"


class _Rounds:
    """Algorithms 7 and 8 for one length and tweak. What does not change between values, the first
    blocks of the CBC-MAC, is computed once."""

    def __init__(self, aes: CipherContext, radix: int, length: int, tweak: bytes) -> None:
        check_domain(radix**length)
        self._aes = aes
        self.u = length // 2  # step 1
        self.v = length - self.u
        self._moduli: tuple[int, int] = (radix**self.u, radix**self.v)
        self._b = ((self._moduli[1] - 1).bit_length() + 7) // 8  # step 3, exactly
        self._d = 4 * -(-self._b // 4) + 4  # step 4
        head = bytes([1, 2, 1]) + radix.to_bytes(3) + bytes([10, self.u % 256])  # step 5
        head += length.to_bytes(4) + len(tweak).to_bytes(4)
        head += tweak + bytes((-len(tweak) - self._b - 1) % BLOCK)  # step 6.i, as far as it stands
        fixed = len(head) // BLOCK * BLOCK
        self._size = len(head) + 1 + self._b - fixed
        self._start = int.from_bytes(head[fixed:]) << 8 * (1 + self._b)
        self._start ^= self._chain(head[:fixed]) << 8 * (self._size - BLOCK)

    @property
    def narrow(self) -> bool:
        """Whether halves fit 32 bits: then d is 8, the last block is the only one that changes,
        and no sum of a round leaves 64 bits."""
        return self._b <= 4

    def run(self, a: N, b: N, backwards: bool) -> tuple[N, N]:
        """Step 6 of Algorithm 7, or of 8."""
        for i in reversed(range(ROUNDS)) if backwards else range(ROUNDS):
            modulus = self._moduli[i % 2]
            if backwards:
                a, b = (b + modulus - self._prf(i, a) % modulus) % modulus, a
            else:
                a, b = b, (a + self._prf(i, b) % modulus) % modulus
        return a, b

    def _prf(self, i: int, numeral: N) -> N:
        """Steps 6.i to 6.iv: y."""
        start = self._start ^ i << 8 * self._b
        if isinstance(numeral, int):
            return self._expand(self._chain((start ^ numeral).to_bytes(self._size)))
        blocks = np.empty((len(numeral), 2), ">u8")
        blocks[:, 0] = start >> 64
        blocks[:, 1] = numeral ^ np.uint64(start & (1 << 64) - 1)
        return np.frombuffer(self._aes.update(blocks.tobytes()), ">u8")[::2].astype(np.uint64)

    def _expand(self, mac: int) -> int:
        """Step 6.iii: as many bytes as d says."""
        length, first = BLOCK, mac
        for j in range(1, -(-self._d // BLOCK)):
            more = self._aes.update((first ^ j).to_bytes(BLOCK))
            mac, length = mac << 8 * BLOCK | int.from_bytes(more), length + BLOCK
        return mac >> 8 * (length - self._d)

    def _chain(self, data: bytes) -> int:
        """CBC-MAC, the PRF of Algorithm 6."""
        mac = self._aes.update(data[:BLOCK])
        for at in range(BLOCK, len(data), BLOCK):
            block = int.from_bytes(mac) ^ int.from_bytes(data[at : at + BLOCK])
            mac = self._aes.update(block.to_bytes(BLOCK))
        return int.from_bytes(mac)


def check_domain(size: int) -> None:
    """FPE-2: with fewer values, some hundred known pairs give the others away."""
    if size < LEAST:
        raise PolicyError(
            f"fpe on a value that has only {size} forms is refused, {LEAST} is the least; "
            "choose token or hash for it"
        )


def _strange() -> OperatorError:
    return OperatorError("a value holds characters outside of its FF1 alphabet")


def _codes(characters: str) -> NDArray[np.uint32]:
    return np.frombuffer(characters.encode("utf-32-le", "surrogatepass"), "<u4")


def _powers(radix: int, length: int) -> Numbers:
    return np.array([radix**place for place in reversed(range(length))], np.uint64)


# Values as people write them

Way = Callable[[FF1, Sequence[str], bytes], list[str]]


def shaped(key: bytes, values: Sequence[str], tweak: bytes = b"") -> list[str]:
    """Each value with other digits and letters in the places of its own: `123-45-6789` becomes
    another number written so. Separators stay, and do not count: `123456789` agrees with it."""
    return _shaped(key, values, tweak, FF1.encrypt)


def unshaped(key: bytes, values: Sequence[str], tweak: bytes = b"") -> list[str]:
    """The values again. A wrong key or tweak gives wrong values, not an error."""
    return _shaped(key, values, tweak, FF1.decrypt)


def secret(key: Key, context: Context) -> bytes:
    """FPE-1: the AES key for the values of one context."""
    return key.derive("fpe.v1", *context)


def _shaped(key: bytes, values: Sequence[str], tweak: bytes, way: Way) -> list[str]:
    """Values whose letters and digits have the same places go through together."""
    shapes = [_shape(value) for value in values]
    inside = [_inside(value, shape) for value, shape in zip(values, shapes, strict=True)]

    def work(group: Sequence[tuple[str, str]]) -> list[str]:
        return _enciphered(key, [value for value, _ in group], (tweak, group[0][1]), way)

    forms = [(value, shape.replace(".", "")) for value, shape in zip(inside, shapes, strict=True)]
    changed = in_groups(forms, itemgetter(1), work)
    return [_put(*whole) for whole in zip(values, shapes, changed, strict=True)]


def _shape(value: str) -> str:
    if value.isascii() and value.isprintable():
        return value.translate(_ASCII)
    return "".join(map(_class, value))


def _class(character: str) -> str:
    """FPE-10: `9`, `A`, `a`, or `.` for what stays. A letter that cannot change must not stay."""
    for kind, alphabet in CLASSES.items():
        if character in alphabet:
            return kind
    if unicodedata.category(character)[0] in "PSZ":
        return "."
    raise OperatorError("fpe changes letters A to Z and digits 0 to 9; a value holds others")


_ASCII = {code: _class(chr(code)) for code in range(32, 127)}


def _inside(value: str, shape: str) -> str:
    return "".join(c for c, kind in zip(value, shape, strict=True) if kind != ".")


def _put(value: str, shape: str, inside: str) -> str:
    rest = iter(inside)
    return "".join(c if kind == "." else next(rest) for c, kind in zip(value, shape, strict=True))


def _enciphered(key: bytes, values: Sequence[str], bound: tuple[bytes, str], way: Way) -> list[str]:
    """One class: FF1 over its alphabet (FPE-13). Several: FF1 over the values' numbers (FPE-14)."""
    tweak, form = bound
    tweak += b"\0" + form.encode()  # FPE-12
    alphabets = [CLASSES[kind] for kind in form]
    if len(set(form)) == 1:
        return way(FF1(key, alphabets[0]), values, tweak)
    size = math.prod(map(len, alphabets))
    check_domain(size)
    numbers = [_rank(value, alphabets) for value in values]
    changed = _walk(numbers, size, lambda words: way(FF1(key, "01"), words, tweak))
    return [_unrank(number, alphabets) for number in changed]


def _walk(
    numbers: Sequence[int], size: int, step: Callable[[Sequence[str]], list[str]]
) -> list[int]:
    """Cycle walking: on a power of two, again and again until the number is below size. That takes
    fewer than two steps on average, and ends because a permutation comes back."""
    width = (size - 1).bit_length()
    results = list(numbers)
    pending: Sequence[int] = range(len(results))
    while pending:
        words = step([f"{results[place]:0{width}b}" for place in pending])
        for place, word in zip(pending, words, strict=True):
            results[place] = int(word, 2)
        pending = [place for place in pending if results[place] >= size]
    return results


def _rank(value: str, alphabets: Sequence[str]) -> int:
    number = 0
    for character, alphabet in zip(value, alphabets, strict=True):
        number = number * len(alphabet) + alphabet.index(character)
    return number


def _unrank(number: int, alphabets: Sequence[str]) -> str:
    found = []
    for alphabet in reversed(alphabets):
        number, at = divmod(number, len(alphabet))
        found.append(alphabet[at])
    return "".join(reversed(found))
