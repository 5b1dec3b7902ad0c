"""Takes personal data out of what a program logs, with Python's `logging`.

>>> handler = logging.StreamHandler()
>>> handler.addFilter(Filter(scrubjay.load(profile="patterns")))
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from weakref import WeakSet

import msgspec

from scrubjay.engine import Engine
from scrubjay.formats import fields, json, slots
from scrubjay.formats.work import Work
from scrubjay.types import Document

REFUSED = "[RECORD REFUSED]"
OWN = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})
_form = logging.Formatter()


class Filter:
    """For a handler, added after its other filters: what they add is cleaned too. Message and
    arguments become one clean text, an exception its clean text, and what was given as `extra`
    clean strings, numbers, lists and dicts. A record that cannot be cleaned says so and nothing
    else. Any number of handlers and threads can share one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.endless()
        self._one = threading.RLock()  # an engine is for one thread at a time
        self._done: WeakSet[logging.LogRecord] = WeakSet()

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true: the record goes on, clean."""
        with self._one:
            if record not in self._done:
                try:
                    told = self._clean(record)
                except Exception:  # noqa: BLE001 - a record that fails says nothing, also not why
                    told = dict.fromkeys(_extra(record), REFUSED) | {"msg": REFUSED}
                _put(record, told)
                self._done.add(record)
        return True

    def _clean(self, record: logging.LogRecord) -> dict[str, Any]:
        """What stands in it, by attribute. All is looked at together."""
        known, own, extra = _known(record), _texts(record), _extra(record)
        engine = self._engine
        reader = json.Reader(Work(engine.stream, rule=engine.operator, key=engine.key))
        said = [slots.one(Document(text, known=known), str) for text in own.values()]
        given = [
            slots.together(reader.parts(msgspec.json.encode(value, enc_hook=str).decode(), name))
            for name, value in extra.items()
        ]
        clean = slots.filled([*said, *given], engine.stream)
        told: dict[str, Any] = {name: next(clean) for name in own}
        told |= {name: msgspec.json.decode(next(clean)) for name in extra}
        return told


def _texts(record: logging.LogRecord) -> dict[str, str]:
    """Its own texts, by attribute."""
    told = {"msg": record.getMessage()}
    if record.exc_info and record.exc_info[0]:
        told["exc_text"] = _form.formatException(record.exc_info)
    elif record.exc_text:
        told["exc_text"] = record.exc_text
    if record.stack_info:
        told["stack_info"] = record.stack_info
    return told


def _put(record: logging.LogRecord, told: Mapping[str, Any]) -> None:
    """Nothing is left of what it was: what handlers before have kept in it neither."""
    record.args, record.exc_info, record.exc_text, record.stack_info = (), None, None, None
    vars(record).pop("message", None)
    vars(record).update(told)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in OWN}


def _known(record: logging.LogRecord) -> dict[str, tuple[str, ...]]:
    """What names of arguments and extras say of values: `%(patient)s` is a name in the message."""
    known: dict[str, tuple[str, ...]] = {}
    for name, value in _named(record):
        label = fields.label(name)
        if label and isinstance(value, str) and value.strip():
            known[label] = (*known.get(label, ()), value)
    return known


def _named(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    given: Iterable[Any] = record.args.items() if isinstance(record.args, Mapping) else ()
    yield from ((str(name), value) for name, value in given)
    yield from _extra(record).items()
