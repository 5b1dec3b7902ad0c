"""What is in a request to a language model: which strings are the protocol's own and stay, which
are texts, and which are files. What is not known here is a text; what cannot be read is refused.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from scrubjay.errors import InputError
from scrubjay.formats import fields, json, naming, slots, strings
from scrubjay.formats.work import Work
from scrubjay.serve.model import attached
from scrubjay.types import Document

WORD = re.compile(r"[a-z][a-z0-9_]{0,40}")
MODEL = re.compile(r"[\w.:/@+-]{1,120}", re.ASCII)
NAME = re.compile(r"[A-Za-z_$][\w.$-]{0,80}", re.ASCII)  # of a field, or of a schema's property
ID = re.compile(r"[a-z]{2,12}[_-][A-Za-z0-9_-]{6,120}", re.ASCII)
SEALED = re.compile(r"[A-Za-z0-9+/=_-]*", re.ASCII)
MEDIA = re.compile(r"image/(?:png|jpeg|gif|webp)|application/pdf|text/plain")
OWN = (  # by key: what a value of the protocol looks like
    ({"model"}, MODEL),
    ({"role", "type", "object", "status", "finish_reason", "stop_reason", "effort", "verbosity",
      "service_tier", "tool_choice", "truncation", "include", "mode", "summary_type", "syntax",
      "format", "encoding_format", "ttl", "required_type", "detail", "phase"}, WORD),
    ({"id", "call_id", "tool_call_id", "tool_use_id", "previous_response_id", "item_id",
      "conversation", "vector_store_ids"}, ID),
    ({"signature", "encrypted_content", "data"}, SEALED),
    ({"media_type"}, MEDIA),
)  # fmt: skip
SEALED_WITHIN = frozenset({"thinking", "redacted_thinking", "reasoning", "compaction"})
PATTERNS = {key: pattern for keys, pattern in OWN for key in keys}
FREE = frozenset({"arguments", "input", "metadata", "variables"})  # where keys are data, too
WHOSE = frozenset({"user", "user_id", "safety_identifier", "prompt_cache_key"})
SPEAKER = "speaker"  # who says a message: its name is somebody's
UNREAD = frozenset({"input_audio", "audio", "video", "container_upload"})


def parts(value: Any, work: Work) -> list[slots.Part]:
    """The request as JSON, with a slot for each text. Files are cleaned at once."""
    walk = _Walk(work)
    walk.value(value)
    return [*walk.parts, "".join(walk.kept)]


class _Walk:
    """`parts`: what was met; `kept`: what is written as it is behind the last of them."""

    def __init__(self, work: Work) -> None:
        self._work, self._memory = work, slots.Memory()
        self.parts: list[slots.Part] = []
        self.kept: list[str] = []

    def value(self, value: Any, key: str = "", within: str = "") -> None:
        """Anything that stands under this key, in an object of this type."""
        if isinstance(value, dict):
            self._object(value, key)
        elif isinstance(value, list):
            self.kept.append("[")
            for number, one in enumerate(value):
                self.kept.append("," if number else "")
                self.value(one, key, within)
            self.kept.append("]")
        elif isinstance(value, str):
            self._put(self._string(value, key, within))
        else:
            self.kept.append(_written(value))

    def _put(self, part: slots.Part) -> None:
        if isinstance(part, str):
            self.kept.append(part)
        else:
            self.parts += "".join(self.kept), part
            self.kept = []

    def _object(self, value: dict[str, Any], key: str) -> None:
        told = value.get("type")
        within = told if isinstance(told, str) else ""
        if within in attached.WITHIN:
            value = attached.clean(value, self._work)
        elif within in UNREAD or within.startswith("image"):
            raise InputError(
                "a picture, sound or file in a form that cannot be read here; send what it says as "
                "text"
            )
        if "role" in value and isinstance(value.get("name"), str):
            within = SPEAKER
        self.kept.append("{")
        for number, (name, one) in enumerate(value.items()):
            self.kept.append("," if number else "")
            self._field(name, one, within)
        self.kept.append("}")

    def _field(self, key: str, value: Any, within: str) -> None:
        known = NAME.fullmatch(key)
        self._put(_written(key) if known else slots.kept(Document(key), _written(key), _written))
        self.kept.append(":")
        if key in FREE and isinstance(value, dict):
            reader = json.Reader(self._work, memory=self._memory)
            for part in reader.parts(_written(value)):
                self._put(part)
        elif key in {"input", "prompt"} and _numbers(value):
            raise InputError(f"{key}: numbers in place of words cannot be read here; send text")
        elif key in WHOSE and isinstance(value, str):
            code = self._work.key.derive("model user", value).hex()[:32]
            self.kept.append(_written(code))
        else:
            self.value(value, key, within)

    def _string(self, text: str, key: str, within: str) -> slots.Part:
        pattern = PATTERNS.get(key)
        if pattern is SEALED and within not in SEALED_WITHIN:
            pattern = None
        if pattern and pattern.fullmatch(text):
            return _written(text)
        document = Document(text)
        if key == "name" and MODEL.fullmatch(text):  # only words and joints may stand there
            speaker = fields.document(naming.words(text), key, document)
            document = speaker if within == SPEAKER else document
            return slots.kept(document, _written(text), lambda told: _written(told.strip("[]")))
        return strings.part(document, _written(text), _written, self._work, memory=self._memory)


def _numbers(value: Any) -> bool:
    """Whether it is tokens, or lists of them."""
    if not isinstance(value, list) or not value:
        return False
    return any(isinstance(one, int | float) or _numbers(one) for one in value)


def _written(value: Any) -> str:
    return msgspec.json.encode(value).decode()
