"""Files in a request to a language model: pictures, PDFs, tables, texts. Each is cleaned by what
reads its kind, and goes on as the same kind, packed as it came. What is elsewhere, at an address or
with the model's service, cannot be looked at and is refused.
"""

from __future__ import annotations

import base64
from pathlib import PurePath
from typing import Any, BinaryIO

import msgspec

from scrubjay.errors import InputError
from scrubjay.formats import carried, kinds
from scrubjay.formats.work import Work

WITHIN = {  # parts that hold files, and the field that tells of the file, if it is not the part
    "image_url": "image_url", "file": "file", "image": "source", "document": "source",
    "input_image": "", "input_file": "", "computer_screenshot": "",
}  # fmt: skip
HELD = ("url", "image_url", "file_data", "data")  # where a file's bytes may stand
AWAY = ("file_id", "file_url")
TEXTS = ("text", "content")  # sources that are texts, or parts as any others


class CarriesFile(Exception):
    """There is a file in it, which is to be read in a process of its own."""


class AtDesk(Work):
    """For the thread that all requests wait for: it reads no file."""

    def file(self, name: str, source: BinaryIO, target: BinaryIO) -> None:
        """`CarriesFile`."""
        raise CarriesFile


def clean(part: dict[str, Any], work: Work) -> dict[str, Any]:
    """The part with a clean file, which is not to be looked at again. `InputError` where nothing
    here can read it."""
    kind = part["type"]
    field = WITHIN[kind]
    told = part.get(field)
    if not isinstance(told, dict):
        return _filed(part, kind, work)
    if field == "source" and told.get("type") in TEXTS:
        return part
    return part | {field: _filed(told, kind, work)}


def _filed(told: dict[str, Any], kind: str, work: Work) -> dict[str, Any]:
    held = next((key for key in HELD if isinstance(told.get(key), str)), "")
    inline = held in ("file_data", "data") or _is_url(told.get(held, ""))
    if not held or not inline or any(told.get(key) for key in AWAY):
        raise InputError(
            f"{kind}: a file that is elsewhere cannot be looked at here; send its bytes in the "
            "request, as base64"
        )
    name, media = (_text(told, key) for key in ("filename", "media_type"))
    done = {held: _written(_packed(told[held], name, media, kind, work))}
    if name:
        done["filename"] = _written(work.name(name))
    return told | done


def _packed(told: str, name: str, media: str, kind: str, work: Work) -> str:
    """The file, clean: a `data:` URL again if it was one."""
    head, _, packed = told.partition(",") if _is_url(told) else ("", "", told)
    if head:
        media, _, how = head[5:].lower().partition(";")
        packed = packed if how.endswith("base64") else "?"
    try:
        data = base64.b64decode(packed, validate=True)
    except ValueError:
        raise InputError(f"{kind}: a file that is no base64; pack it so") from None
    suffix = carried.suffix(media)  # of none but known media
    if PurePath(name).suffix.lower() not in kinds.SUFFIXES:
        name = f"file{suffix}"
    done = base64.b64encode(work.cleaned(name, data)).decode()
    if not head:
        return done
    return f"data:{media if suffix else 'application/octet-stream'};base64,{done}"


def _is_url(told: Any) -> bool:
    return isinstance(told, str) and told[:5].lower() == "data:"


def _text(told: dict[str, Any], key: str) -> str:
    value = told.get(key)
    return value if isinstance(value, str) else ""


def _written(value: str) -> msgspec.Raw:
    """As it stands in JSON: nobody looks at it again."""
    return msgspec.Raw(msgspec.json.encode(value))
