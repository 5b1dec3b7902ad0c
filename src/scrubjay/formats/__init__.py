"""The kinds of file that are read and written: one module each; `kinds.py` tells them apart."""

from __future__ import annotations

import importlib
from pathlib import PurePath
from typing import BinaryIO

from scrubjay import plugins
from scrubjay.errors import ExtraError, InputError, UsageError
from scrubjay.formats import kinds

KNOWN = {kind.name: kind for kind in kinds.KINDS}


def named(name: str) -> str:
    """`jsonl` -> `jsonl.v1`."""
    if name in KNOWN or plugins.registered("formats", name):
        return name
    if f"{name}.v1" in KNOWN:
        return f"{name}.v1"
    raise UsageError(f"unknown format '{name}'; known: {', '.join(KNOWN)}")


def of(path: PurePath, source: BinaryIO) -> str:
    """The format of a file, by its content and its name."""
    return kinds.of(path, source)


def make(name: str, *, encoding: str = "utf-8", group: str = "") -> plugins.Format:
    """The format of that name."""
    if kind := KNOWN.get(name):
        try:
            module = importlib.import_module(f"{__name__}.{kind.module}")
        except ModuleNotFoundError as problem:
            if not kind.extra:
                raise
            short = name.partition(".")[0]
            raise ExtraError(
                f"{short} files need {problem.name}: pip install 'scrubjay[{kind.extra}]'"
            ) from None
        made: plugins.Format = module.make(name, encoding=encoding, group=group)
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
