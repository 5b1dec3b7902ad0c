"""A key that only goes forward: each entry's tag is made with a key that its hash replaces.

Who takes the machine over finds the key of now, and cannot go back to those that tagged what was
logged before; who holds the first key can make all of them. docs/spec/audit.md states the claim.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

TAG = 32


def after(key: bytes) -> bytes:
    """The key for the next entry."""
    return sha256(b"scrubjay/audit/next\n" + key).digest()


def forward(key: bytes, steps: int) -> bytes:
    """The key so many entries later."""
    for _ in range(steps):
        key = after(key)
    return key


def tag(key: bytes, number: int, box: bytes) -> bytes:
    """What binds an encrypted entry to its place."""
    return hmac.digest(key, b"scrubjay/audit/entry\n%d\n" % number + box, "sha256")


def seal(key: bytes, text: bytes) -> bytes:
    """What binds a checkpoint to how far the key had gone: a shorter log lacks that key."""
    return hmac.digest(key, b"scrubjay/audit/head\n" + text, "sha256")
