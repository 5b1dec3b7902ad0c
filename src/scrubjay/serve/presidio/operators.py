"""What Presidio's anonymizers and deanonymizers make of a value, to the letter."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from scrubjay.errors import OperatorError, RefusedError

BLOCK = 16  # bytes, of AES and of the IV that a value begins with
SALT = 16  # bytes that a salt has at least
T = TypeVar("T")
JSON_TYPES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    list: "array",
}
Params = Mapping[str, Any]
Operator = Callable[[str, str, Params], str]


def replaced(value: str, entity: str, params: Params) -> str:
    """A fixed text, or the entity's name."""
    return str(_given(params, "new_value", str, must=False) or f"<{entity}>")


def redacted(value: str, entity: str, params: Params) -> str:
    """Nothing."""
    return ""


def kept(value: str, entity: str, params: Params) -> str:
    """The value, as somebody asked for it."""
    return value


def masked(value: str, entity: str, params: Params) -> str:
    """So many characters of it are another."""
    char: str = _given(params, "masking_char", str)
    if len(char) > 1:
        raise RefusedError("Invalid input, masking_char must be a character")
    count: int = max(0, min(len(value), _given(params, "chars_to_mask", int)))
    if _given(params, "from_end", bool):
        return value[: len(value) - count] + char * count
    return char * count + value[count:]


def hashed(value: str, entity: str, params: Params) -> str:
    """Salted: with the request's salt, or with one that nobody will know."""
    kind = params.get("hash_type", "sha256")
    if kind not in ("sha256", "sha512"):
        raise RefusedError("Parameter hash_type is not in range of values ['sha256', 'sha512']")
    salt = os.urandom(32)
    if "salt" in params:
        salt = _given(params, "salt", str).encode()
        if len(salt) < SALT:
            raise RefusedError(
                f"Salt must be at least {SALT} bytes (128 bits). "
                f"Provided salt is {len(salt)} bytes."
            )
    return hashlib.new(kind, value.encode() + salt).hexdigest()


def encrypted(value: str, entity: str, params: Params) -> str:
    """AES in CBC mode with the request's key: URL-safe base64 of IV and ciphertext."""
    key, iv = _key(params), os.urandom(BLOCK)
    padder = padding.PKCS7(AES.block_size).padder()
    encryptor = Cipher(AES(key), CBC(iv)).encryptor()
    padded = padder.update(value.encode()) + padder.finalize()
    return base64.urlsafe_b64encode(iv + encryptor.update(padded) + encryptor.finalize()).decode()


def decrypted(value: str, entity: str, params: Params) -> str:
    """What `encrypted` was given, here or in Presidio."""
    key = _key(params)
    try:
        data = base64.urlsafe_b64decode(value)
        decryptor = Cipher(AES(key), CBC(data[:BLOCK])).decryptor()
        padded = decryptor.update(data[BLOCK:]) + decryptor.finalize()
        unpadder = padding.PKCS7(AES.block_size).unpadder()
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except ValueError:  # one message for all: which step failed would tell of the key
        raise OperatorError("a value is not what this key encrypted") from None


ANONYMIZERS: dict[str, Operator] = {
    "encrypt": encrypted, "hash": hashed, "keep": kept, "mask": masked, "redact": redacted,
    "replace": replaced,
}  # fmt: skip
DEANONYMIZERS: dict[str, Operator] = {"decrypt": decrypted, "deanonymize_keep": kept}


def _key(params: Params) -> bytes:
    key: bytes = _given(params, "key", str).encode()
    if len(key) * 8 not in AES.key_sizes:
        raise RefusedError("Invalid input, key must be of length 128, 192 or 256 bits")
    return key


def _given(params: Params, name: str, kind: type, *, must: bool = True) -> Any:
    """A parameter, if it is what it must be."""
    value = params.get(name)
    if value is None:
        if must:
            raise RefusedError(f"Expected parameter {name}")
        return None
    return typed(value, name, kind)


def typed(value: Any, name: str, kind: type[T]) -> T:
    """A value, if it is of this kind."""
    if isinstance(value, kind):
        return value
    told = f"Expecting '{JSON_TYPES[kind]}'"
    if type(value) in JSON_TYPES:
        told += f", but got '{JSON_TYPES[type(value)]}'"
    raise RefusedError(f"Invalid parameter value for {name}. {told}.")
