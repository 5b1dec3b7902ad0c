"""Writes docs/reference/*.md from the code itself. With --check it writes nothing and fails where
a page is stale.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import tomllib
import typing
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
from click.testing import CliRunner

import scrubjay
from scrubjay import cli, coverage, errors, labels, operators, policies
from scrubjay.detectors import patterns
from scrubjay.serve.presidio import entities as presidio
from scrubjay.types import Rule

FOLDER = Path(__file__).parent / "reference"
WIDTH = 80  # of help texts
LONGEST = 60  # characters of an example
NOTE = "<!-- Written by docs/generate.py. Change the code, not this page. -->"


def pages() -> dict[str, str]:
    """Every page by name."""
    makers = (
        cli_page,
        labels_page,
        patterns_page,
        policies_page,
        operators_page,
        errors_page,
        presidio_page,
    )
    return {f"{make.__name__.removesuffix('_page')}.md": _page(make) for make in makers}


def _page(make: Callable[[], Iterator[str]]) -> str:
    return "\n\n".join([NOTE, *make()]) + "\n"


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; pipes in cells are escaped."""
    columns = tuple(columns)
    lines = [columns, ("---",) * len(columns), *rows]
    return "\n".join(f"| {' | '.join(c.replace('|', chr(92) + '|') for c in ln)} |" for ln in lines)


def code(value: str) -> str:
    """A code span, with a fence longer than any run of backticks in the value."""
    fence = "`"
    while fence in value:
        fence += "`"
    pad = " " if "`" in value else ""
    return f"{fence}{pad}{value}{pad}{fence}" if value else ""


def cli_page() -> Iterator[str]:
    """The help text of every command."""
    yield "# Commands"
    yield (
        "Exit status: 0 done; 1 the call itself is wrong; 2 something could not be "
        "anonymized and nothing was written; 3 not allowed; 130 interrupted. "
        "See [errors](errors.md)."
    )
    for trail in commands(cli.group, ()):
        done = CliRunner().invoke(
            cli.group, [*trail, "--help"], prog_name="scrubjay", terminal_width=WIDTH
        )
        assert done.exit_code == 0, done.output
        yield f"{'#' * (2 + max(0, len(trail) - 1))} {' '.join(('scrubjay', *trail))}"
        yield f"```text\n{done.output.rstrip()}\n```"


def commands(group: click.Group, trail: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The way to the group itself and to every command below it."""
    yield trail
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        below = (*trail, name)
        yield from commands(command, below) if isinstance(command, click.Group) else (below,)


def labels_page() -> Iterator[str]:
    """What can be found."""
    yield "# Labels"
    yield (
        "HIPAA: the letter of 45 CFR 164.514(b)(2)(i). GDPR: how it identifies; `special` is "
        "Art 9. A label without a rule takes its parent's. Everywhere: a value that was found once "
        "is looked for in the whole document."
    )
    rows = (
        (
            code(label.name),
            label.meaning,
            label.hipaa,
            label.gdpr,
            code(label.parent),
            "yes" if label.everywhere else "",
        )
        for label in labels.table().values()
    )
    yield table(("Label", "Meaning", "HIPAA", "GDPR", "Parent", "Everywhere"), rows)


def patterns_page() -> Iterator[str]:
    """The catalogue, a table a file."""
    yield "# Patterns"
    shared = patterns.parts()
    files = [p for p in sorted(patterns.FOLDER.glob("*.toml")) if not p.name.startswith("_")]
    yield (
        f"{len(patterns.catalogue())} patterns. Score is what a hit counts before context words "
        "(+0.35) and `unless` words (-0.35). How to add one: [patterns](../patterns-howto.md)."
    )
    for path in files:
        yield f"## {path.stem}"
        first = path.read_text("utf-8").partition("\n")[0]
        if first.startswith("#"):
            yield first.lstrip("# ")
        yield table(
            ("Name", "Label", "Score", "Check", "Source", "Example"),
            (_pattern(pattern) for pattern in patterns.read(path, shared)),
        )


def _pattern(pattern: patterns.Pattern) -> Iterator[str]:
    example = pattern.yes[0].replace("[[", "").replace("]]", "")
    example = "".join(c if c.isprintable() else repr(c)[1:-1] for c in example)
    example = example if len(example) <= LONGEST else example[: LONGEST - 1] + "\u2026"
    yield from (code(pattern.name), code(pattern.label), f"{pattern.score:g}")
    yield from (code(pattern.check), pattern.source, code(example))


def policies_page() -> Iterator[str]:
    """What each shipped policy does, and what it covers of Safe Harbor's letters."""
    yield "# Policies that ship"
    yield (
        "A label that is not named here takes its parent's rule, or the default. What the keys "
        "mean: [policies](../policies.md)."
    )
    for name in policies.names():
        policy = policies.load(name)
        parsed = tomllib.loads((policies.FOLDER / f"{name}.toml").read_text("utf-8"))
        yield f"## {code(name)}"
        yield f"{policy.description}."
        if "extends" in parsed:
            yield f"Extends `{parsed['extends']}`."
        rows = {"*default*": policy.default, **{code(la): ru for la, ru in policy.rules.items()}}
        yield table(("Label", "Operator"), ((la, _rule(rule)) for la, rule in rows.items()))
        yield "Safe Harbor's letters:"
        yield table(
            ("Letter", "Identifiers", "What is done", "Not covered"), map(_row, _rows(name))
        )


def _rule(rule: Rule) -> str:
    told = {**rule.options, **({} if rule.threshold == Rule().threshold else _threshold(rule))}
    words = [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in told.items()]
    return ", ".join([code(operators.full_name(rule.operator)), *map(code, words)])


def _threshold(rule: Rule) -> dict[str, float]:
    return {"threshold": rule.threshold}


def _rows(name: str) -> list[coverage.Row]:
    return coverage.table(policies.load(name))


def _row(row: coverage.Row) -> Iterator[str]:
    by_operator: dict[str, list[str]] = {}
    for label, operator in row.labels.items():
        by_operator.setdefault(operator, []).append(label)
    done = "; ".join(f"{code(o)} {', '.join(names)}" for o, names in by_operator.items())
    yield from (row.letter, row.what, done, row.unseen)


def operators_page() -> Iterator[str]:
    """Every operator with its options."""
    yield "# Operators"
    yield (
        "What a rule's `operator` names. A name without a version means the newest one; policies "
        "that must not change name the version."
    )
    for name, place in operators.KNOWN.items():
        module_name, function = place.split(".")
        module = importlib.import_module(f"scrubjay.operators.{module_name}")
        factory = getattr(module, function)
        yield f"## {code(name)}"
        yield inspect.cleandoc(module.__doc__ or "")
        options = inspect.signature(factory, eval_str=True).parameters.values()
        if not options:
            yield "No options."
            continue
        yield f"Options: {inspect.getdoc(factory)}"
        rows = ((code(o.name), kind(o.annotation), code(_default(o.default))) for o in options)
        yield table(("Option", "Value", "Default"), rows)


def _default(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def kind(annotation: Any) -> str:
    """An annotation as a person says it."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return f"{kind(inner[0])}{_bounds(inner[1])}"
    if origin is typing.Literal:
        return ", ".join(code(_default(choice)) for choice in inner)
    names = {str: "string", int: "integer", float: "number", bool: "true or false"}
    return names.get(annotation, code(str(annotation)))


def _bounds(meta: msgspec.Meta) -> str:
    low, high = meta.ge, meta.le
    if meta.max_length == 1:
        return ", one character"
    if low is not None and high is not None:
        return f", {low:g} to {high:g}"
    return f", at least {low:g}" if low is not None else ""


def errors_page() -> Iterator[str]:
    """The tree with what each means to a shell and to an HTTP client."""
    yield "# Errors"
    yield (
        "Every error is a `scrubjay.ScrubjayError`. Match on the class or on `code`, which is "
        "stable; the message is for people. It never holds document text."
    )
    rows = (
        (
            "\u2003" * depth + code(error.__name__),
            code(error.code),
            str(error.exit_status),
            str(error.http_status),
            inspect.getdoc(error) or "",
        )
        for depth, error in _tree(errors.ScrubjayError, 0)
    )
    yield table(("Error", "Code", "Exit status", "HTTP status", "Means"), rows)


def _tree(
    error: type[errors.ScrubjayError], depth: int
) -> Iterator[tuple[int, type[errors.ScrubjayError]]]:
    yield depth, error
    for below in error.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from _tree(below, depth + 1)


def presidio_page() -> Iterator[str]:
    """Presidio's entities under our labels, and what is found of each by this very catalogue."""
    yield "# Presidio's entities"
    yield (
        "The entities of Presidio 2.2.366, each with our label and a text that holds one. "
        "*Found as* is what the policy `everything` finds in that text now. Where it is empty, "
        "nothing is found; write a [pattern](../patterns-howto.md). Code that moves over: [coming "
        "from Presidio](../coming-from-presidio.md)."
    )
    engine = scrubjay.load("everything", profile="patterns")
    for title, entities in presidio.groups().items():
        yield f"## {title}"
        rows = (
            (code(entity), code(label), code(example), _found(engine, example))
            for entity, examples in entities.items()
            for label, example in examples.items()
        )
        yield table(("Presidio", "Scrubjay", "Text", "Found as"), rows)


def _found(engine: scrubjay.Engine, example: str) -> str:
    return ", ".join(dict.fromkeys(code(finding.label) for finding in engine.detect(example)))


def main() -> None:
    """Write what has changed, or say so."""
    check = sys.argv[1:] == ["--check"]
    stale = []
    for name, page in pages().items():
        path = FOLDER / name
        if not path.exists() or path.read_text("utf-8") != page:
            stale.append(path.name)
            if not check:
                FOLDER.mkdir(exist_ok=True)
                path.write_text(page, "utf-8")
    print(f"{'stale' if check else 'written'}: {', '.join(stale) or 'nothing'}")
    sys.exit(bool(check and stale))


if __name__ == "__main__":
    main()
