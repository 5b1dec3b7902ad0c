"""Which role may do which action: `matrix.toml`, read once, and denied by default."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from scrubjay.errors import CatalogueError


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """What a table of roles by actions cannot say."""

    apart: tuple[tuple[str, str], ...]
    approved: tuple[str, ...]
    personal: tuple[str, ...]


class Matrix(Struct, frozen=True, forbid_unknown_fields=True):
    """Roles with their meaning, actions with the roles that may, and commands that ask nobody with
    the reason."""

    roles: dict[str, str]
    actions: dict[str, tuple[str, ...]]
    free: dict[str, str]
    rules: Rules


@cache
def matrix() -> Matrix:
    """The matrix that ships."""
    return read(files("scrubjay.access").joinpath("matrix.toml").read_bytes())


def read(raw: bytes) -> Matrix:
    """A matrix from its file; one that uses a name which it does not define is refused."""
    try:
        made = msgspec.convert(tomllib.loads(raw.decode("utf-8")), Matrix)
    except ValueError as problem:
        raise CatalogueError(f"matrix.toml: {problem}") from None
    roles = {role for pair in made.rules.apart for role in pair}
    roles.update(role for given in made.actions.values() for role in given)
    if unknown := sorted(roles - made.roles.keys()):
        raise CatalogueError(f"matrix.toml: unknown roles {', '.join(unknown)}; see [roles]")
    if unknown := sorted({*made.rules.approved, *made.rules.personal} - made.actions.keys()):
        raise CatalogueError(f"matrix.toml: unknown actions {', '.join(unknown)}; see [actions]")
    return made


def allowed(roles: Iterable[str], action: str) -> bool:
    """Whether somebody with these roles may. Unknown names, and roles that nobody holds together,
    may nothing."""
    held = set(roles)
    if not held <= matrix().roles.keys() or clashes(held):
        return False
    return not held.isdisjoint(matrix().actions.get(action, ()))


def approved(action: str) -> bool:
    """Whether it takes an approval, or an emergency, besides the role."""
    return action in matrix().rules.approved


def clashes(roles: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs among these roles that are kept apart."""
    held = set(roles)
    return [pair for pair in matrix().rules.apart if held.issuperset(pair)]


def pairs() -> Iterator[tuple[str, str, bool]]:
    """Every role, every action, and whether the one may do the other."""
    for action in matrix().actions:
        for role in matrix().roles:
            yield role, action, allowed((role,), action)


def table() -> str:
    """The matrix as a page shows it."""
    roles = list(matrix().roles)
    lines = [f"| | {' | '.join(roles)} |", "|---" * (len(roles) + 1) + "|"]
    for action, may in matrix().actions.items():
        marks = " | ".join("yes" if role in may else "" for role in roles)
        lines.append(f"| `{action}` | {marks} |")
    return "\n".join(lines) + "\n"
