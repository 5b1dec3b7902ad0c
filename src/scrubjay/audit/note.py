"""Signed notes (C2SP signed-note), the checkpoints in them (tlog-checkpoint), and cosignatures of
witnesses (tlog-cosignature, v1). No IO."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from scrubjay.audit import ratchet
from scrubjay.audit.tree import SIZE, Head
from scrubjay.errors import AuditError, UsageError

ED25519 = 0x01
COSIGNATURE = 0x04
RATCHET = b"\xffscrubjay/ratchet/v1"  # a type without a number of its own
CONTROL = re.compile("[\\x00-\\x09\\x0b-\\x1f]")
LIMIT = 1 << 16  # bytes of a note that anybody reads


class Signature(NamedTuple):
    """One line below a note."""

    name: str
    id: bytes
    value: bytes

    def __str__(self) -> str:
        return f"\N{EM DASH} {self.name} {b64encode(self.id + self.value).decode()}\n"


class Note(NamedTuple):
    """A text, its last newline included, and what is said to be signatures of it."""

    text: bytes
    signatures: tuple[Signature, ...]

    def __bytes__(self) -> bytes:
        return self.text + b"\n" + "".join(map(str, self.signatures)).encode()


def parse(data: bytes) -> Note:
    """A note's parts, nothing of it checked."""
    text, gap, lines = data.rpartition(b"\n\n")
    try:
        told = data.decode()
        signatures = tuple(map(_line, lines.decode().splitlines()))
    except ValueError:
        raise AuditError(
            "not a signed note: it is not UTF-8, or a signature line is broken"
        ) from None
    if not gap or not lines.endswith(b"\n") or len(data) > LIMIT:
        raise AuditError("not a signed note: no blank line before its signatures, or too long")
    if CONTROL.search(told):
        raise AuditError("not a signed note: it holds control characters")
    return Note(text + b"\n", signatures)


def _line(line: str) -> Signature:
    dash, name, value = line.split(" ")
    raw = b64decode(value, validate=True)
    if dash != "\N{EM DASH}" or not name or len(raw) < 5 or b64encode(raw).decode() != value:
        raise ValueError
    return Signature(name, raw[:4], raw[4:])


class Verifier(Struct, frozen=True):
    """Whom to believe. As text a vkey: `name+id+key`."""

    name: str
    public: bytes
    kind: int = ED25519

    @property
    def id(self) -> bytes:
        """The first bytes of a hash, to find the line of this key by."""
        return key_id(self.name, bytes([self.kind]) + self.public)

    def __str__(self) -> str:
        key = b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{key}"

    def check(self, note: Note) -> int | None:
        """None if this key did not sign; else the time it says, or 0. Wrong: `AuditError`."""
        mine = [one for one in note.signatures if (one.name, one.id) == (self.name, self.id)]
        for one in mine:
            self._check(note.text, one.value)
        return self._time(mine[0].value) if mine else None

    def _check(self, text: bytes, value: bytes) -> None:
        key = Ed25519PublicKey.from_public_bytes(self.public)
        if self.kind == COSIGNATURE:
            text = b"cosignature/v1\ntime %d\n" % self._time(value) + text
            value = value[8:]
        try:
            key.verify(value, text)
        except InvalidSignature:
            raise AuditError(f"the checkpoint is not what {self.name} signed") from None

    def _time(self, value: bytes) -> int:
        return int.from_bytes(value[:8], "big") if self.kind == COSIGNATURE else 0


def verifier(vkey: str) -> Verifier:
    """Read a vkey."""
    try:
        name, number, key = vkey.strip().split("+", 2)
        raw = b64decode(key, validate=True)
        found = Verifier(name, raw[1:], raw[0])
    except (ValueError, IndexError):
        raise UsageError("not a verifier key; it looks like name+12345678+base64") from None
    if found.kind not in (ED25519, COSIGNATURE) or len(found.public) != SIZE:
        raise UsageError(f"{name}: not an Ed25519 verifier key")
    if found.id.hex() != number:
        raise UsageError(f"{name}: the verifier key's id is not that of its key; copy it again")
    return found


def key_id(name: str, kind_and_key: bytes) -> bytes:
    """As signed-note has it."""
    return sha256(name.encode() + b"\n" + kind_and_key).digest()[:4]


class Signer:
    """A name and its private key."""

    __slots__ = ("_key", "name", "verifier")

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        if not name or "+" in name or name.split() != [name]:
            raise UsageError("a log's name needs a character or more, and no space or plus")
        self._key = key
        self.name = name
        self.verifier = Verifier(name, key.public_key().public_bytes_raw())

    def sign(self, text: bytes) -> Signature:
        """A line for a note."""
        return Signature(self.name, self.verifier.id, self._key.sign(text))

    def cosign(self, text: bytes, time: int) -> Signature:
        """A witness's line: it saw the log grow up to here, at a time in seconds since 1970."""
        value = self._key.sign(b"cosignature/v1\ntime %d\n" % time + text)
        return Signature(self.name, self.witness.id, time.to_bytes(8, "big") + value)

    @property
    def witness(self) -> Verifier:
        """Who checks `cosign`."""
        return Verifier(self.name, self.verifier.public, COSIGNATURE)

    def __repr__(self) -> str:
        return f"Signer({self.name!r}, <secret>)"


def body(origin: str, head: Head) -> bytes:
    """A checkpoint's text."""
    return f"{origin}\n{paper(head).replace(' ', chr(10))}\n".encode()


def head(note: Note, origin: str) -> Head:
    """What a checkpoint says of the tree."""
    lines = note.text.decode().split("\n")
    if lines[0] != origin:
        raise AuditError(f"the checkpoint is of another log, not of {origin}")
    found = read_paper(" ".join(lines[1:3]))
    if note.text != body(origin, found):  # no extension lines: nobody could check them
        raise AuditError(f"the checkpoint of {origin} is not written as one")
    return found


def paper(head: Head) -> str:
    """A head as one keeps it on paper: `1234 base64=`."""
    return f"{head.size} {b64encode(head.root).decode()}"


def read_paper(line: str) -> Head:
    """A head from paper."""
    try:
        size, told = line.split()
        found = Head(int(size), b64decode(told, validate=True))
    except ValueError:
        found = Head(-1, b"")
    if found.size < 0 or len(found.root) != SIZE:
        raise AuditError("not a tree head; it looks like: 1234 base64=")
    return found


def signed(head: Head, signer: Signer, key: bytes = b"") -> bytes:
    """A signed head. As a checkpoint, it is sealed with the ratchet's key of now."""
    text = body(signer.name, head)
    seal = (_seal(signer.name, text, key),) if key else ()
    return bytes(Note(text, (signer.sign(text), *seal)))


def _seal(origin: str, text: bytes, key: bytes) -> Signature:
    return Signature(origin, key_id(origin, RATCHET), ratchet.seal(key, text))


def sealed(note: Note, origin: str, key: bytes) -> bool:
    """Whether the note carries the seal of this key."""
    want = _seal(origin, note.text, key)
    return any(
        one[:2] == want[:2] and hmac.compare_digest(one.value, want.value)
        for one in note.signatures
    )


def opened(data: bytes, trusted: Verifier, others: Iterable[Verifier] = ()) -> tuple[Note, Head]:
    """A checkpoint that `trusted` signed, its head; lines of `others` are checked where present."""
    note = parse(data)
    if trusted.check(note) is None:
        raise AuditError(f"the checkpoint is not signed by {trusted.name} with the key you trust")
    for other in others:
        other.check(note)
    return note, head(note, trusted.name)
