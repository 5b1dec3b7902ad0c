"""What is logged, and how an entry becomes a leaf: canonical JSON, encrypted, tagged.

No field holds document text. `details` may hold more than the others: only auditors can read it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256

import msgspec
import pyrage
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct, field

from scrubjay.audit import ratchet
from scrubjay.audit.tiles import LONGEST
from scrubjay.errors import AuditError, UsageError
from scrubjay.keys import Key

VERSION = b"\x01"
NONCE = 12
HEAD = len(VERSION) + ratchet.TAG  # bytes before the box


class Entry(Struct, frozen=True, omit_defaults=True):
    """Who did what, when and why. The log sets `time`, in milliseconds since 1970."""

    who: str
    role: str
    action: str
    outcome: str  # "done", "refused", "failed"
    time: int = 0
    reason: str = ""
    subject: str = ""  # a code, never a name
    policy: str = ""  # digests, as `Report` has them
    model: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    input: str = ""  # keyed digests: `digest`
    output: str = ""
    recipient: str = ""  # who was given something, and what that was, in words of the policy
    about: str = ""
    details: str = ""  # in the log: an age file to the auditors, base64

    def __repr__(self) -> str:
        return f"Entry({self.action!r}, time={self.time})"


def digest(key: Key, data: bytes) -> str:
    """A keyed digest of an input or output: who holds the key can find it again, nobody else."""
    return key.derive("audit digest", sha256(data).hexdigest()).hex()


_canonical = msgspec.json.Encoder(order="sorted")


def encode(entry: Entry) -> bytes:
    """Canonical JSON (RFC 8785)."""
    return _canonical.encode(entry)


def decode(data: bytes) -> Entry:
    """An entry from its JSON."""
    return msgspec.json.decode(data, type=Entry)


def logged(entry: Entry, time: int, auditors: Sequence[pyrage.x25519.Recipient]) -> bytes:
    """The entry as it is encrypted. `UsageError` where the command line was no text."""
    try:
        return encode(stamped(entry, time, auditors))
    except UnicodeEncodeError:
        raise UsageError("a name, a code or a reason is no UTF-8: type it anew") from None


def stamped(entry: Entry, time: int, auditors: Sequence[pyrage.x25519.Recipient]) -> Entry:
    """The entry with its time, its details sealed."""
    if not entry.details:
        return msgspec.structs.replace(entry, time=time)
    sealed = pyrage.encrypt(entry.details.encode(), list(auditors))
    return msgspec.structs.replace(entry, time=time, details=b64encode(sealed).decode())


def details(entry: Entry, auditor: pyrage.x25519.Identity) -> str:
    """What only an auditor reads."""
    try:
        return pyrage.decrypt(b64decode(entry.details), [auditor]).decode() if entry.details else ""
    except pyrage.DecryptError:
        raise AuditError("these details were sealed to other auditors' keys") from None


def recipients(auditors: Sequence[str]) -> list[pyrage.x25519.Recipient]:
    """Auditors' public keys, `age1...`."""
    try:
        return [pyrage.x25519.Recipient.from_str(one) for one in auditors]
    except pyrage.RecipientError:
        raise UsageError("an auditor's key is no age recipient; it looks like age1...") from None


def _place(origin: str, number: int) -> bytes:
    return b"scrubjay/audit/box\n%s\n%d\n" % (origin.encode(), number)


def box(data: bytes, origin: str, number: int, *, key: bytes, nonce: bytes) -> bytes:
    """An entry encrypted for its place."""
    made = nonce + AESGCM(key).encrypt(nonce, data, _place(origin, number))
    if HEAD + len(made) > LONGEST:
        raise AuditError(
            f"an entry of {len(data)} bytes is too long for the log; shorten its details"
        )
    return made


def leaf(box: bytes, number: int, key: bytes) -> bytes:
    """A box with the tag of the ratchet's key for this number."""
    return VERSION + ratchet.tag(key, number, box) + box


def unbox(leaf: bytes, origin: str, number: int, key: bytes) -> Entry:
    """The entry in a leaf."""
    sealed = leaf[HEAD:]
    try:
        data = AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], _place(origin, number))
        return decode(data)
    except (InvalidTag, ValueError):
        raise AuditError(f"{origin}: entry {number} is not what its key encrypted") from None
