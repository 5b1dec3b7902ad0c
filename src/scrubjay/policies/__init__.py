"""Policies as TOML files: found by name or path, extended, checked, digested (docs/spec/policy.md).

A wrong policy is refused with file, line and what is allowed there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from scrubjay import labels, operators, plugins
from scrubjay.detectors import patterns, tagger
from scrubjay.errors import CatalogueError, PolicyError
from scrubjay.types import Policy, Rule

FOLDER = Path(__file__).parent

SHIPPED = (patterns.NAME, tagger.NAME)


class _Rule(Struct, frozen=True, forbid_unknown_fields=True):
    operator: str | None = None
    threshold: float | None = None
    options: dict[str, Any] | None = None


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    """A policy file as written."""

    name: str = ""
    description: str = ""
    extends: str = ""
    default: _Rule = _Rule()
    rules: dict[str, _Rule] = field(default_factory=dict)
    allow: tuple[str, ...] = ()
    deny: dict[str, tuple[str, ...]] = field(default_factory=dict)
    patterns: tuple[dict[str, Any], ...] = ()
    detectors: tuple[str, ...] = ()


def names() -> list[str]:
    """The policies that ship."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(policy: str | os.PathLike[str], seen: tuple[str, ...] = ()) -> Policy:
    """The policy of that name or path, with what it extends."""
    path = _path(policy)
    if str(path) in seen:
        raise PolicyError(f"{path}: extends itself: {' -> '.join((*seen, str(path)))}")
    try:
        source = path.read_text("utf-8")
        parsed = msgspec.convert(tomllib.loads(source), _File, strict=True)
    except OSError as problem:
        raise PolicyError(f"{path}: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise PolicyError(f"{path}: not UTF-8 at byte {problem.start}") from None
    except tomllib.TOMLDecodeError as problem:
        raise PolicyError(f"{path}: {problem}") from None
    except RecursionError:
        raise PolicyError(f"{path}: nested too deeply") from None
    except msgspec.ValidationError as problem:
        raise PolicyError(_placed(path, source, str(problem))) from None
    base = load(_beside(path, parsed.extends), (*seen, str(path))) if parsed.extends else None
    built = _build(parsed, base, path.stem)
    _check(built, parsed, path, source)
    return built


def _path(policy: str | os.PathLike[str]) -> Path:
    shipped = FOLDER / f"{os.fspath(policy)}.toml"
    if os.fspath(policy) in names():
        return shipped
    path = Path(policy)
    if path.suffix == ".toml" or path.is_file():
        return path
    raise PolicyError(f"unknown policy '{policy}'; known: {', '.join(names())}, or a .toml file")


def _beside(path: Path, extends: str) -> str | Path:
    """What `extends` names: a shipped policy, or a file beside this one."""
    return extends if extends in names() else path.parent / extends


def _build(parsed: _File, base: Policy | None, stem: str) -> Policy:
    base = base or Policy(name=stem)
    default = _rule(parsed.default, base.default)
    rules = dict(base.rules)
    for label in sorted(parsed.rules, key=lambda label: len(labels.lineage(label))):
        above = (rules[name] for name in labels.lineage(label) if name in rules)
        rules[label] = _rule(parsed.rules[label], next(above, default))
    deny = dict(base.deny)
    for label, values in parsed.deny.items():
        deny[label] = (*deny.get(label, ()), *values)
    return Policy(
        name=parsed.name or stem,
        rules=rules,
        default=default,
        description=parsed.description or base.description,
        allow=(*base.allow, *parsed.allow),
        deny=deny,
        patterns=(*base.patterns, *parsed.patterns),
        detectors=tuple(dict.fromkeys((*base.detectors, *parsed.detectors))),
    )


def _rule(written: _Rule, base: Rule) -> Rule:
    """What is written, over what it extends. Options go with their operator."""
    operator = written.operator or base.operator
    with contextlib.suppress(PolicyError):  # an unknown name is told of with its line, in _check
        operator = operators.full_name(operator)
    inherited = base.options if operator == base.operator else {}
    return Rule(
        operator=operator,
        threshold=base.threshold if written.threshold is None else written.threshold,
        options=inherited if written.options is None else written.options,
    )


def _check(policy: Policy, parsed: _File, path: Path, source: str) -> None:
    """Refuse what would fail later, with its line."""
    written = {label: policy.rules[label] for label in parsed.rules}
    try:
        _verify(msgspec.structs.replace(policy, rules=written, patterns=parsed.patterns))
    except _WrongError as wrong:
        raise PolicyError(f"{path}:{_line(source, *wrong.trail)}: {wrong}") from None


class _WrongError(PolicyError):
    """What is wrong, and the keys that lead to it."""

    def __init__(self, told: str, *trail: str) -> None:
        super().__init__(told)
        self.trail = trail


def verify(policy: Policy) -> None:
    """Raise unless every label, operator, option, threshold, pattern and detector is usable."""
    try:
        _verify(policy)
    except _WrongError as wrong:
        raise PolicyError(f"policy '{policy.name}': {wrong}") from None


def _verify(policy: Policy) -> None:
    known = labels.table()
    for label in (*policy.rules, *policy.deny):
        if label not in known:
            raise _WrongError(f"unknown label '{label}'; known: {', '.join(known)}", label)
    for where, rule in {"default": policy.default, **policy.rules}.items():
        if not 0 <= rule.threshold <= 1:
            raise _WrongError(f"{where}.threshold must lie between 0 and 1", where, "threshold")
        try:
            operators.make(rule.operator, rule.options)
        except PolicyError as problem:
            raise _WrongError(str(problem), where, "operator") from None
    for row in policy.patterns:
        try:
            patterns.check(row, policy.name)
        except CatalogueError as problem:
            raise _WrongError(str(problem), str(row.get("name"))) from None
    for name in policy.detectors:
        if name not in SHIPPED and plugins.registered("detectors", name) is None:
            told = f"unknown detector '{name}'; known: {', '.join(SHIPPED)}, and what is installed"
            raise _WrongError(told, "detectors")


def _placed(path: Path, source: str, problem: str) -> str:
    """A message of msgspec's, with the line that it is about and what may stand there."""
    named = re.search(r"unknown field `(\w+)`", problem)
    place = re.search(r"at `\$\.?([^`]*)`", problem)
    trail = [part for part in re.split(r"[.\[\]]+", place[1] if place else "") if part]
    line = _line(source, *trail, *([named[1]] if named else []))
    hint = ""
    if named and (not trail or trail[0] in {"rules", "default"}):
        allowed = msgspec.structs.fields(_Rule if trail else _File)
        hint = f"; allowed: {', '.join(field.name for field in allowed)}"
    return f"{path}:{line}: {problem}{hint}"


def _line(source: str, *trail: str) -> int:
    """The line on which the last found word of the trail stands, each after the one before."""
    lines = [line.partition("#")[0] for line in source.splitlines()]
    at = 0
    for word in filter(None, trail):
        wanted = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
        at = next((n for n in range(at, len(lines)) if wanted.search(lines[n])), at)
    return at + 1


def digest(policy: Policy) -> str:
    """SHA-256 over the canonical JSON of all that decides what is done, so without the name."""
    rules = {label: _named(rule) for label, rule in policy.rules.items()}
    deciding = msgspec.structs.replace(
        policy, name="", description="", rules=rules, default=_named(policy.default)
    )
    return hashlib.sha256(msgspec.json.encode(deciding, order="sorted")).hexdigest()


def _named(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, operator=operators.full_name(rule.operator))
