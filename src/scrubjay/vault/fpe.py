"""Format-preserving encryption: FF1 of NIST SP 800-38G, as its revision (second draft) has it.

A nine-digit number becomes another nine-digit number, and comes back with the key. FF3 is gone from
the standard, and domains under a million values are refused (docs/spec/token.md, FPE-n). Equal
values give equal results, and nothing tells a wrong key from a right one: a token does both better
wherever a value need not keep its form.
"""

from __future__ import annotations

import math
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from scrubjay.errors import OperatorError, PolicyError, VaultError
from scrubjay.keys import Key
from scrubjay.vault.token import Context

LEAST = 1_000_000  # FPE-2
ROUNDS = 10
BLOCK = 16
DIGITS, UPPER, LOWER = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
CLASSES = {"9": DIGITS, "A": UPPER, "a": LOWER}

Numeral = int  # a numeral string is held as the number it writes
Halves = tuple[Numeral, Numeral]


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

    def encrypt(self, values: Sequence[str], tweak: bytes = b"") -> list[str]:
        """A value of the same length for each, and for each another."""
        return self._all(values, tweak, _Rounds.encrypt)

    def decrypt(self, values: Sequence[str], tweak: bytes = b"") -> list[str]:
        """The values again. A wrong key or tweak gives wrong values, not an error."""
        return self._all(values, tweak, _Rounds.decrypt)

    def _all(
        self, values: Sequence[str], tweak: bytes, way: Callable[[_Rounds, int, int], Halves]
    ) -> list[str]:
        aes = Cipher(algorithms.AES(self._key), modes.ECB()).encryptor()  # noqa: S305 - for FF1
        radix = len(self._alphabet)
        rounds = {n: _Rounds(aes, radix, n, tweak) for n in set(map(len, values))}
        return [self._one(rounds[len(value)], value, way) for value in values]

    def _one(self, rounds: _Rounds, value: str, way: Callable[[_Rounds, int, int], Halves]) -> str:
        left, right = value[: rounds.u], value[rounds.u :]
        try:
            a, b = way(rounds, self._number(left), self._number(right))
        except KeyError:
            raise OperatorError("a value holds characters outside of its FF1 alphabet") from None
        return self._text(a, rounds.u) + self._text(b, rounds.v)

    def _number(self, numerals: str) -> int:
        radix, number = len(self._alphabet), 0
        for character in numerals:
            number = number * radix + self._numbers[character]
        return number

    def _text(self, number: int, length: int) -> str:
        radix, found = len(self._alphabet), []
        for _ in range(length):
            number, numeral = divmod(number, radix)
            found.append(self._alphabet[numeral])
        return "".join(reversed(found))

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
        self._moduli: Halves = (radix**self.u, radix**self.v)
        self._b = ((self._moduli[1] - 1).bit_length() + 7) // 8  # step 3, exactly
        self._d = 4 * -(-self._b // 4) + 4  # step 4
        head = bytes([1, 2, 1]) + radix.to_bytes(3) + bytes([10, self.u % 256])  # step 5
        head += length.to_bytes(4) + len(tweak).to_bytes(4)
        head += tweak + bytes((-len(tweak) - self._b - 1) % BLOCK)  # step 6.i, as far as it stands
        fixed = len(head) // BLOCK * BLOCK
        self._size = len(head) + 1 + self._b - fixed
        self._start = int.from_bytes(head[fixed:]) << 8 * (1 + self._b)
        self._start ^= self._chain(head[:fixed]) << 8 * (self._size - BLOCK)

    def encrypt(self, a: Numeral, b: Numeral) -> Halves:
        """Algorithm 7, step 6."""
        for i in range(ROUNDS):
            a, b = b, (a + self._prf(i, b)) % self._moduli[i % 2]
        return a, b

    def decrypt(self, a: Numeral, b: Numeral) -> Halves:
        """Algorithm 8, step 6."""
        for i in reversed(range(ROUNDS)):
            a, b = (b - self._prf(i, a)) % self._moduli[i % 2], a
        return a, b

    def _prf(self, i: int, numeral: Numeral) -> int:
        """Steps 6.i to 6.iv: y."""
        mac = self._chain((self._start ^ i << 8 * self._b ^ numeral).to_bytes(self._size))
        length = BLOCK
        for j in range(1, -(-self._d // BLOCK)):
            more = self._aes.update((mac >> 8 * (length - BLOCK) ^ j).to_bytes(BLOCK))
            mac, length = mac << 8 * BLOCK | int.from_bytes(more), length + BLOCK
        return mac >> 8 * (length - self._d)

    def _chain(self, data: bytes) -> int:
        """CBC-MAC, the PRF of Algorithm 6."""
        mac = self._aes.update(data[:BLOCK])
        for at in range(BLOCK, len(data), BLOCK):
            block = int.from_bytes(mac) ^ int.from_bytes(data[at : at + BLOCK])
            mac = self._aes.update(block.to_bytes(BLOCK))
        return int.from_bytes(mac)


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


def check_domain(size: int) -> None:
    """FPE-2: with fewer values, some hundred known pairs give the others away."""
    if size < LEAST:
        raise PolicyError(
            f"fpe on a value that has only {size} forms is refused, {LEAST} is the least; "
            "choose token or hash for it"
        )


def _shaped(key: bytes, values: Sequence[str], tweak: bytes, way: Way) -> list[str]:
    """Values whose letters and digits have the same places go through together."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    shapes = ["".join(map(_class, value)) for value in values]
    for place, shape in enumerate(shapes):
        groups[shape.replace(".", "")].append(place)
    results = list(values)
    for kinds, places in groups.items():
        inside = [_inside(values[place], shapes[place]) for place in places]
        bound = tweak + b"\0" + kinds.encode()  # FPE-12
        for place, changed in zip(places, _enciphered(key, inside, bound, way), strict=True):
            results[place] = _put(values[place], shapes[place], changed)
    return results


def _class(character: str) -> str:
    """FPE-10: `9`, `A`, `a`, or `.` for what stays. A letter that cannot change must not stay."""
    for kind, alphabet in CLASSES.items():
        if character in alphabet:
            return kind
    if unicodedata.category(character)[0] in "PSZ":
        return "."
    raise OperatorError("fpe changes letters A to Z and digits 0 to 9; a value holds others")


def _inside(value: str, shape: str) -> str:
    return "".join(c for c, kind in zip(value, shape, strict=True) if kind != ".")


def _put(value: str, shape: str, inside: str) -> str:
    rest = iter(inside)
    return "".join(c if kind == "." else next(rest) for c, kind in zip(value, shape, strict=True))


def _enciphered(key: bytes, values: Sequence[str], bound: bytes, way: Way) -> list[str]:
    """One alphabet: FF1 over it (FPE-13). Several: FF1 over the values' numbers (FPE-14)."""
    alphabets = [CLASSES[chr(kind)] for kind in bound[bound.rindex(b"\0") + 1 :]]
    if len(set(alphabets)) == 1:
        return way(FF1(key, alphabets[0]), values, bound)
    size = math.prod(map(len, alphabets))
    check_domain(size)
    numbers = [_rank(value, alphabets) for value in values]
    return [_unrank(number, alphabets) for number in _walk(key, numbers, size, bound, way)]


def _walk(key: bytes, numbers: Sequence[int], size: int, bound: bytes, way: Way) -> list[int]:
    """FPE-14, cycle walking: on a power of two, again and again until the number is below size.
    That takes fewer than two steps on average, and ends because a permutation comes back."""
    cipher = FF1(key, "01")
    width = (size - 1).bit_length()
    results = list(numbers)
    pending = list(range(len(numbers)))
    while pending:
        words = [f"{results[place]:0{width}b}" for place in pending]
        for place, word in zip(pending, way(cipher, words, bound), strict=True):
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
