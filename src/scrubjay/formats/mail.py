"""Mails: one (`eml.v1`), or a box of them (`mbox.v1`), read one by one.

Heads, bodies, HTML, mails in mails; what is attached goes through its own reader, and stays out if
it has none. Bodies are written as UTF-8 in seven bits, so boundaries cannot lie in them.
"""

from __future__ import annotations

import base64
import email.message
import email.parser
import email.policy
import quopri
import re
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from msgspec import Struct, field

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats import carried, headers, slots
from scrubjay.formats.html import Page
from scrubjay.formats.slots import Part, Piece
from scrubjay.formats.work import Work
from scrubjay.types import Document

ENVELOPE = re.compile(rb"From \S+.*\d\d:\d\d.*\d{4}")
QUOTE = re.compile(r"(?:[ \t]*>)+[ \t]?")
ARMOUR = re.compile(
    r"^begin [0-7]{3,4} [^\n]*\n(?:[ -`]{1,90}\n)*+end$"
    r"|-----BEGIN PGP ([A-Z ]{3,30})-----.*?(?:-----END PGP \1-----|\Z)",
    re.M | re.S,
)
BUNDLES = frozenset(["mixed", "alternative", "related", "digest", "parallel", "report"])
SIGNATURES = frozenset(["pgp-signature", "pkcs7-signature", "x-pkcs7-signature"])
SEALED = frozenset(["application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted"])
GONE = "[attachment removed]\n"
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)  # of a name that is no name


class Letter(Struct):
    """One mail as it is taken apart."""

    work: Work
    place: str = ""
    identities: headers.Identities = field(default_factory=headers.Identities)
    depth: int = 0
    boundaries: int = 0

    def parts(self, message: email.message.Message) -> Iterator[Part]:
        """Head and body."""
        if self.depth > self.work.limits.depth:
            raise InputError(f"{self.place}mails in mails, {self.depth} deep")
        yield from headers.parts(message, self.identities, self.work, self.place.rstrip(": "))
        if not self.depth:
            yield "MIME-Version: 1.0\n"
        self.depth += 1
        yield from self._body(message)
        self.depth -= 1

    def _body(self, message: email.message.Message) -> Iterator[Part]:
        kind = message.get_content_type()
        if kind in SEALED:
            raise InputError(f"{self.place}encrypted, or signed as a whole: decrypt it first")
        if kind.startswith("multipart/") and message.is_multipart():
            yield from self._bundle(message)
        elif kind == "message/rfc822" and message.is_multipart():
            yield "Content-Type: message/rfc822\n\nMIME-Version: 1.0\n"
            yield from self.parts(_children(message)[0])
        elif message.is_multipart():  # a report on delivery: heads alone
            told = "\n".join(str(part) for part in _children(message))
            yield self._text(told)
        else:
            yield self._leaf(message, kind)

    def _bundle(self, message: email.message.Message) -> Iterator[Part]:
        kind = message.get_content_subtype()
        self.boundaries += 1
        boundary = f"=_{self.boundaries}"
        kind = kind if kind in BUNDLES else "mixed"
        yield f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n'
        for text in (message.preamble, message.epilogue):
            if text and text.strip() and "MIME" not in text:
                self.work.dropped("text around parts")
        written = False
        for part in _children(message):
            if part.get_content_subtype() in SIGNATURES:
                self.work.dropped("signature")
                continue
            written = True
            yield f"--{boundary}\n"
            yield from self.parts(part)
            yield "\n"
        if not written:
            yield f"--{boundary}\nContent-Type: text/plain\n\n\n"
        yield f"--{boundary}--\n"

    def _leaf(self, message: email.message.Message, kind: str) -> Part:
        data = message.get_payload(decode=True)
        if not isinstance(data, bytes):
            raise InputError(f"{self.place}a part that cannot be read")
        name = _file_name(message)
        if kind == "text/html" and not name:
            page = Page(self.work, links=self.identities.of)
            return slots.together(page.parts(_decoded(data, message)), partial(_written, "html"))
        spoken = not kind.startswith(("image/", "audio/", "video/", "application/", "font/"))
        text = _decoded(data, message) if spoken else ""
        if spoken and kind not in {"text/html", "text/xml"}:
            data = text.encode(self.work.encoding, "replace")
        if name or kind not in {"text/plain", "text/enriched"}:
            name = name or f"file{carried.suffix(kind)}"
            clean = carried.opened(name, data, self.work) if "." in name else None
            if clean is not None:
                return self._attached(name, clean, kind)
        if spoken:
            return self._text(text)
        self.work.dropped("attachment without a reader")
        return _written("plain", GONE)

    def _text(self, text: str) -> Part:
        """What is quoted is one text: a name may end behind the next `>`."""
        text, count = ARMOUR.subn("[block removed]", re.sub("\r\n?", "\n", text))
        if count:
            self.work.dropped("file or message in letters", count)
        pieces: list[Part | Piece] = []
        for line in text.split("\n"):
            found = QUOTE.match(line)
            start = found.end() if found else 0
            pieces += [line[:start], Piece(line[start:], str, "\n"), "\n"]
        whole = slots.pieced(pieces[:-1], Document("", id=self.place.rstrip(": ")))
        return slots.together([whole], partial(_written, "plain"))

    def _attached(self, name: str, data: bytes, kind: str) -> Part:
        new = self.work.name(name).replace('"', "_")
        kind = kind if carried.suffix(kind) else "application/octet-stream"
        shown = f'filename="{new}"' if new.isascii() else f"filename*={_percent(new)}"
        return (
            f"Content-Type: {kind}\nContent-Transfer-Encoding: base64\n"
            f"Content-Disposition: attachment; {shown}\n\n"
            + base64.encodebytes(data).decode("ascii")
        )


def _children(message: email.message.Message) -> list[email.message.Message]:
    payload = message.get_payload()
    return (
        [part for part in payload if isinstance(part, email.message.Message)]
        if isinstance(payload, list)
        else []
    )


def _file_name(message: email.message.Message) -> str:
    try:
        told = headers.decoded(headers.unfolded(message.get_filename("")))
    except UNREADABLE:
        return "file"
    return re.split(r"[/\\]", told)[-1].strip()


def _decoded(data: bytes, message: email.message.Message) -> str:
    """In the charset that it names, else UTF-8, else as bytes are read in the West."""
    try:
        named = message.get_content_charset("utf-8")
    except UNREADABLE:
        named = "utf-8"
    for charset in (named, "utf-8"):
        try:
            return data.decode(charset).replace("\0", " ")
        except (LookupError, ValueError):
            continue
    return data.decode("cp1252", "replace").replace("\0", " ")


def _percent(name: str) -> str:
    return "utf-8''" + "".join(f"%{byte:02X}" for byte in name.encode())


def _written(kind: str, text: str) -> str:
    """A text part: as it is where seven bits and short lines allow."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.endswith("\n"):
        text += "\n"
    how = "7bit"
    if not text.isascii() or re.search(r"^From |--=_|[^\n]{998}|[\x00-\x08\x0b-\x1f]", text, re.M):
        how = "quoted-printable"
        text = quopri.encodestring(text.encode()).decode("ascii")
        text = re.sub(r"^From ", "=46rom ", text, flags=re.M)
    return f'Content-Type: text/{kind}; charset="utf-8"\nContent-Transfer-Encoding: {how}\n\n{text}'


def parsed(data: bytes, place: str = "") -> email.message.Message:
    """A mail, or an error."""
    try:
        message = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(data)
    except (RecursionError, *UNREADABLE):
        raise InputError(f"{place}parts in parts, too deep or damaged") from None
    if not message.keys():
        raise InputError(f"{place}no mail: it has no headers")
    return message


class Eml:
    """`eml.v1`."""

    name = "eml.v1"
    suffixes: tuple[str, ...] = (".eml",)

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """With the line ends of its first line."""
        data = work.whole(source, "mail")
        crlf = data[: data.find(b"\n") + 1].endswith(b"\r\n")
        parts = Letter(work).parts(parsed(data))
        _write(parts, target, work, crlf=crlf)


class Mbox:
    """`mbox.v1`."""

    name = "mbox.v1"
    suffixes: tuple[str, ...] = (".mbox",)

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """Mail after mail; threads stay threads."""
        _write(self._parts(source, work), target, work, crlf=False)

    def _parts(self, source: BinaryIO, work: Work) -> Iterator[Part]:
        identities = headers.Identities()
        for number, data in enumerate(_mails(source, work.limits.text), 1):
            place = f"mail {number}: "
            yield "From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n"
            yield from Letter(work, place, identities).parts(parsed(data, place))
            yield "\n"


def _mails(source: BinaryIO, longest: int) -> Iterator[bytes]:
    """Each without the line that parts it from the last."""
    first = source.readline(longest)
    if not first.startswith(b"From "):
        raise InputError("no mailbox: it does not begin with 'From '")
    lines: list[bytes] = []
    size, blank = 0, False
    for line in iter(lambda: source.readline(longest), b""):
        if blank and ENVELOPE.match(line):
            yield b"".join(lines)
            lines, size = [], 0
            continue
        size += len(line)
        if size > longest:
            raise InputError(f"more than {longest >> 20} MiB in one mail")
        lines.append(line)
        blank = not line.strip()
    yield b"".join(lines)


def _write(parts: Iterator[Part], target: BinaryIO, work: Work, *, crlf: bool) -> None:
    for told in slots.filled(parts, work.clean):
        target.write((told.replace("\n", "\r\n") if crlf else told).encode("ascii"))


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`eml.v1` or `mbox.v1`."""
    return Eml() if name == "eml.v1" else Mbox()
