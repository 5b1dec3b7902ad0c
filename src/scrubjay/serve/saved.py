"""Policies that were saved here: TOML files in the service's folder, beside those that ship.

They are checked before they count, and written whole. All processes read the one folder, so that
what is saved counts at the next request of each.
"""

from __future__ import annotations

import re
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from scrubjay import home, policies
from scrubjay.errors import PolicyError
from scrubjay.types import Policy

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
LARGEST = 1 << 20  # bytes of a policy
NONE = "no policy of that name is here"


def folder() -> Path:
    """Where they are."""
    return home.folder("serve/policies")


def names() -> list[str]:
    """Of those that were saved."""
    return sorted(path.stem for path in folder().glob("*.toml") if NAME.fullmatch(path.stem))


def found(name: str) -> tuple[Path, object]:
    """The file of a policy that ships or was saved, and what differs once it has changed: a saved
    one may extend another that is saved."""
    if name in policies.names():
        return policies.FOLDER / f"{name}.toml", None
    if not is_saved(name):
        raise PolicyError(NONE)
    facts = sorted((path.name, path.stat()) for path in folder().glob("*.toml"))
    version = tuple((name, fact.st_mtime_ns, fact.st_ino) for name, fact in facts)
    return folder() / f"{name}.toml", version


def is_saved(name: str) -> bool:
    """Whether a policy of this name was saved here."""
    return bool(NAME.fullmatch(name)) and (folder() / f"{name}.toml").is_file()


def checked(name: str, data: bytes, *, is_json: bool) -> tuple[bytes, Policy]:
    """A policy as it will be saved, and what it says; a wrong one is refused as
    `scrubjay policy check` does."""
    if not NAME.fullmatch(name) or name in policies.names():
        raise PolicyError("a policy's name has 1 to 64 of a-z, 0-9 and -, and is none that ships")
    source = _from_json(data) if is_json else data
    _check_names(name, source)
    with tempfile.TemporaryDirectory(dir=folder()) as beside:
        for path in folder().glob("*.toml"):
            (Path(beside) / path.name).symlink_to(path)
        new = Path(beside) / f"{name}.toml"
        new.unlink(missing_ok=True)
        new.write_bytes(source)
        try:
            return source, policies.load(new)
        except PolicyError as problem:
            told = str(problem).replace(f"{beside}/", "")
            raise PolicyError(told) from None


def told(problem: PolicyError) -> str:
    """What is wrong with one that was saved, without where this machine keeps it."""
    return str(problem).replace(f"{folder()}/", "")


def save(name: str, source: bytes) -> None:
    """Write one that was checked: from now on it counts."""
    home.write(folder() / f"{name}.toml", source)


def _check_names(name: str, source: bytes) -> None:
    """It calls itself as it is called, and extends nothing but policies."""
    try:
        written = tomllib.loads(source.decode())
    except (ValueError, RecursionError):
        return  # told with its line by who reads it next
    if written.get("name", name) != name:
        raise PolicyError(f"it calls itself otherwise than '{name}': leave its name out")
    base = written.get("extends", "")
    known = {"", *policies.names(), *(f"{other}.toml" for other in names())}
    if not isinstance(base, str) or base not in known:
        raise PolicyError("it extends what is not here: a policy that ships, or NAME.toml, saved")


def _from_json(data: bytes) -> bytes:
    try:
        told = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise PolicyError("the body is no JSON") from None
    if not isinstance(told, dict):
        raise PolicyError("a policy is an object of rules")
    try:
        lines = [f"{_key(key)} = {_toml(value)}\n" for key, value in told.items()]
    except RecursionError:
        raise PolicyError("the body is nested too deeply") from None
    return "".join(lines).encode()


def _key(key: str) -> str:
    return key if re.fullmatch(r"[\w-]+", key, re.ASCII) else _toml(key)


def _toml(value: Any) -> str:
    """A value of JSON as TOML writes it. Strings, numbers and truth are the same in both."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_key(key)} = {_toml(one)}' for key, one in value.items())}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_toml, value))}]"
    if value is None:
        raise PolicyError("a policy has no null: leave the key out")
    return msgspec.json.encode(value).decode()
