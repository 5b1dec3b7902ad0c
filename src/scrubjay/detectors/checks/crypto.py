"""Checksums of cryptocurrency addresses and keys."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from hashlib import sha256

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_STEPS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CASH_STEPS = (0x98F2BC8E61, 0x79B76D99E2, 0xF33E5FB3C4, 0xAE2EABE2A8, 0x1E4F43E470)


def base58(value: str) -> bool:
    """Base58Check, in Bitcoin's alphabet or Ripple's: a double SHA-256 guards the payload."""
    return any(_base58check(value, alphabet) for alphabet in (_BASE58, _RIPPLE))


def _base58check(value: str, alphabet: str) -> bool:
    data = _decode58(value, alphabet)
    return len(data) > 20 and sha256(sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


def _decode58(value: str, alphabet: str) -> bytes:
    """The bytes, or none if a character is not of the alphabet."""
    number = 0
    for char in value:
        digit = alphabet.find(char)
        if digit < 0:
            return b""
        number = number * 58 + digit
    zeros = len(value) - len(value.lstrip(alphabet[0]))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)


def bech32(value: str) -> bool:
    """BIP 173 and BIP 350."""
    prefix, _, data = value.lower().rpartition("1")
    if value not in {value.lower(), value.upper()} or not set(data) <= set(_BECH32):
        return False
    values = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    return _polymod(values + [_BECH32.index(c) for c in data], 25, _BECH32_STEPS) in {1, 0x2BC830A3}


def cashaddr(value: str) -> bool:
    """Bitcoin Cash, with or without its prefix."""
    prefix, _, data = ("bitcoincash:" + value.lower()).rpartition(":")
    if not set(data) <= set(_BECH32):
        return False
    values = [ord(c) & 31 for c in prefix.split(":")[-1]] + [0]
    return _polymod(values + [_BECH32.index(c) for c in data], 35, _CASH_STEPS) == 1


def _polymod(values: list[int], keep: int, steps: tuple[int, ...]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> keep
        checksum = (checksum & ((1 << keep) - 1)) << 5 ^ value
        for bit, step in enumerate(steps):
            checksum ^= step if top >> bit & 1 else 0
    return checksum


def hex_address(value: str) -> bool:
    """Not the zero address nor another filler."""
    return len(set(value.lower()[2:])) > 4


def key32(value: str) -> bool:
    """32 bytes in base58, as Solana's addresses are, and not one case or digits only."""
    mixed = any(map(str.isdigit, value)) and not value.isdigit() and value.lower() != value
    return mixed and value.upper() != value and len(_decode58(value, _BASE58)) == 32


def stellar(value: str) -> bool:
    """SEP 23: base32 with a CRC-16 at the end, little end first."""
    return _crc_guarded(base64.b32decode, value, little=True)


def ton(value: str) -> bool:
    """A user-friendly TON address: 36 bytes, the last two a CRC-16."""
    return _crc_guarded(base64.urlsafe_b64decode, value, little=False)


def _crc_guarded(decode: Callable[[str], bytes], value: str, *, little: bool) -> bool:
    try:
        data = decode(value)
    except (binascii.Error, ValueError):
        return False
    return binascii.crc_hqx(data[:-2], 0) == int.from_bytes(
        data[-2:], "little" if little else "big"
    )


def seed_phrase(value: str) -> bool:
    """BIP 39: 12 to 24 short words, none of them one that its list leaves out."""
    words = [word for word in value.replace(",", " ").lower().split() if word.isalpha()]
    fits = all(3 <= len(word) <= 8 for word in words) and not _NEVER.intersection(words)
    return len(words) in {12, 15, 18, 21, 24} and fits


_NEVER = frozenset({"the", "and", "for", "are", "with", "from", "was", "not", "please", "which"})
