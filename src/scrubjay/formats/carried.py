"""Files that are carried in a string: base64, `data:` URLs. One that a reader knows is cleaned by
it; any other is left out, and told.
"""

from __future__ import annotations

import base64
import io
import mimetypes
import re
import urllib.parse
from pathlib import PurePath

from scrubjay import formats
from scrubjay.errors import InputError
from scrubjay.formats.work import Work

SHORTEST = 256  # characters of base64 that are more than a word, a key or a digest; shorter ones
SHORT = 12  # are texts if they read as such
SPOKEN = re.compile(rb"[\t\n\r\x20-\x7e]{6,}(?:[\xc2-\xf4][\x80-\xbf]{1,3}[\t\n\r\x20-\x7e]*)*")
BASE64 = re.compile(r"[A-Za-z0-9+/_\s-]++={0,2}\s*")
KINDS = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]"))
DATA_URL = re.compile(
    r"\s*data:\s*+([\w.+-]++/[\w.+-]++)?((?:\s*+;[^,;]*+)*+)\s*+,(.*)", re.S | re.I
)
OWN = {"text/calendar": ".ics", "application/ics": ".ics", "text/vcard": ".vcf"}
_TYPES = mimetypes.MimeTypes(())


def suffix(media: str) -> str:
    """`image/png` -> `.png`; nothing where there is none."""
    if (kind := media.strip().lower()) in OWN:
        return OWN[kind]
    return _TYPES.guess_extension(media.strip().lower(), strict=False) or ""


def opened(name: str, data: bytes, work: Work) -> bytes | None:
    """A file without what identifies, or nothing if no reader knows it: bytes that are not even
    text are no text."""
    try:
        if formats.of(PurePath(name), io.BytesIO(data)) in {"text.v1", "lines.v1"}:
            data.decode(work.encoding)
    except (InputError, UnicodeError):
        return None
    return work.cleaned(name, data)


def string(text: str, work: Work) -> str | None:
    """What stands for a string that is a file, or nothing if it is a text like others."""
    if "data:" in text[:64].lower() and (found := DATA_URL.fullmatch(text)):
        return _data_url(found[1] or "", found[2], found[3], work)
    if len(text) < SHORT or not all(kind.search(text) for kind in KINDS):
        return None
    if not BASE64.fullmatch(text) or (data := _decoded(text)) is None:
        return None
    if len(text) < SHORTEST and not SPOKEN.fullmatch(data):
        return None
    return _told(opened("", data, work), "base64 of no known kind", work)


def _data_url(media: str, options: str, data: str, work: Work) -> str:
    """The same URL with a clean file; an empty one where it cannot be read."""
    plain = urllib.parse.unquote_to_bytes(data)
    if "base64" in options.lower():
        found = _decoded(plain.decode("latin-1"))
        if found is None:
            raise InputError("a data: URL that is not base64")
        plain = found
    told = _told(opened(f"file{suffix(media)}", plain, work), "data: URL", work)
    kind = media if suffix(media) else ""
    return f"data:{kind};base64,{told}" if told else "data:,"


def _told(clean: bytes | None, what: str, work: Work) -> str:
    if clean is None:
        work.dropped(what)
        return ""
    return base64.b64encode(clean).decode("ascii")


def _decoded(text: str) -> bytes | None:
    squeezed = re.sub(r"\s+", "", text).translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return base64.b64decode(squeezed + "=" * (-len(squeezed) % 4), validate=True)
    except ValueError:
        return None
