"""The kinds of file that Scrubjay reads and writes: one module each, found by suffix or by name."""

from __future__ import annotations

import importlib
from pathlib import PurePath

from scrubjay import plugins
from scrubjay.errors import InputError, UsageError

KNOWN = {"text.v1": "text", "lines.v1": "text", "jsonl.v1": "jsonl"}
SUFFIXES = {
    ".txt": "text.v1",
    ".text": "text.v1",
    ".md": "text.v1",
    ".log": "lines.v1",
    ".jsonl": "jsonl.v1",
    ".ndjson": "jsonl.v1",
    "": "text.v1",
}


def named(name: str) -> str:
    """`jsonl` -> `jsonl.v1`."""
    if name in KNOWN or plugins.registered("formats", name):
        return name
    if f"{name}.v1" in KNOWN:
        return f"{name}.v1"
    raise UsageError(f"unknown format '{name}'; known: {', '.join(KNOWN)}")


def of(path: PurePath) -> str:
    """The format of a file, by its suffix."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    for name, make_third in plugins.every("formats").items():
        if suffix in make_third(encoding="utf-8", group="").suffixes:
            return name
    known = " ".join(sorted(filter(None, SUFFIXES)))
    raise InputError(
        f"no reader for '{suffix}' files; readable: {known}. If it is plain text, say --format text"
    )


def make(name: str, *, encoding: str = "utf-8", group: str = "") -> plugins.Format:
    """The format of that name."""
    module = KNOWN.get(name)
    if module:
        made: plugins.Format = importlib.import_module(f"{__name__}.{module}").make(
            name, encoding=encoding, group=group
        )
        return made
    factory = plugins.registered("formats", name)
    if factory is None:
        raise UsageError(f"unknown format '{name}'")
    return factory(encoding=encoding, group=group)  # type: ignore[no-any-return]


def decode(data: bytes, encoding: str, offset: int = 0, where: str = "") -> str:
    """Text, or an error that says which byte is not."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") and encoding == "utf-8" and offset == 0:
        raise InputError(f"{where}this looks like UTF-16: say --encoding utf-16")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as problem:
        at = offset + problem.start
        raise InputError(
            f"{where}byte {at} is not {encoding}; say --encoding (latin-1, cp1252, utf-16 ...)"
        ) from None
    except LookupError:
        raise UsageError(f"unknown encoding '{encoding}'") from None
