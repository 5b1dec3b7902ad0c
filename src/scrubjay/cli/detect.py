"""`scrubjay detect`: where personal data is. Values are shown only when asked for."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import tee
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from scrubjay import formats
from scrubjay.cli import files, options, vaults
from scrubjay.cli.anonymize import standard_input
from scrubjay.detectors import patterns
from scrubjay.engine import Engine, load
from scrubjay.formats.work import Work
from scrubjay.report import unchanged
from scrubjay.types import Anonymized, Document, Finding

Row = dict[str, object]


class How(NamedTuple):
    """How files are read, and findings shown."""

    as_json: bool
    as_jsonl: bool
    explain: bool
    show_text: bool
    format_: str | None
    encoding: str


@click.command()
@options.inputs
@options.policy
@options.profile
@options.recall
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@click.option("--jsonl", "as_jsonl", is_flag=True, help="One JSON object a line.")
@click.option("--explain", is_flag=True, help="Say why each finding stands.")
@click.option("--show-text", is_flag=True, help="Show the values that were found.")
@options.format_
@options.encoding
def command(inputs: tuple[Path, ...], policy: str, profile: str, recall: str, **told: Any) -> None:
    """Show where personal data is in INPUTS: files, folders, or `-` for standard input."""
    trust, how = vaults.asked("detect.run"), How(**told)
    engine = load(policy, profile=profile, recall=recall)
    if trust:
        vaults.looked(trust, "detect", engine, show_text=how.show_text)
    sources = [file for path in inputs or standard_input() for file in _expand(path)]
    rows = _rows(engine, sources, how)
    if how.as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(list(rows)), indent=1))
    elif how.as_jsonl:
        for row in rows:
            click.echo(msgspec.json.encode(row))
    else:
        _table(list(rows), len(sources) > 1)


def _expand(path: Path) -> list[Path]:
    return [path] if path == files.STDIO else files.expand(path)


def _rows(engine: Engine, sources: list[Path], how: How) -> Iterator[Row]:
    for source in sources:
        rows: list[Row] = []
        look = partial(_look, engine, rows, how)
        with files.naming(source), files.reading(source) as stream:
            kind = files.format_of(source, how.format_, stream)
            reader = formats.make(kind, encoding=how.encoding)
            work = Work(look, how.encoding, called=source.name, rule=lambda label: "keep.v1")
            reader.convert(stream, io.BytesIO(), work)
        yield from ({"file": str(source), **row} for row in rows)


def _look(
    engine: Engine, rows: list[Row], how: How, documents: Iterable[Document]
) -> Iterator[Anonymized]:
    """Collects a row a finding; the text goes through unchanged."""
    ahead, behind = tee(documents)
    for document, findings in zip(behind, engine.find(ahead), strict=True):
        for finding in findings:
            row: Row = {"document": document.id, **msgspec.to_builtins(finding)}
            if how.show_text:
                row["text"] = document.text[finding.start : finding.end]
            if how.explain:
                row["why"] = why(finding)
            rows.append(row)
        yield unchanged(document, findings)


def why(finding: Finding) -> str:
    """The reason in words: the rule, what it checked, what it is defined by."""
    detector, _, rule = finding.detector.partition(":")
    pattern = {p.name: p for p in patterns.catalogue()}.get(rule)
    if detector == "resolve.v1":
        return "the same value was found elsewhere in the document"
    if detector == "deny.v1":
        return "the policy lists it"
    if pattern is None:
        return f"rule {finding.detector}"
    reasons = [f"pattern {pattern.name}"]
    if pattern.check:
        reasons.append(f"passed {pattern.check}")
    if pattern.context and finding.score > pattern.score:
        reasons.append("a context word is near")
    if pattern.source:
        reasons.append(f"form: {pattern.source}")
    return "; ".join(reasons)


def _table(rows: list[Row], several: bool) -> None:
    if not rows:
        click.echo("nothing found", err=True)
        return
    columns = ["start", "end", "label", "entity", "score", "detector", "document", "text", "why"]
    columns = [c for c in columns if any(row.get(c) not in (None, "") for row in rows)]
    if several:
        columns.insert(0, "file")
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    bold = sys.stdout.isatty()
    for line, row_cells in enumerate([columns, *cells]):
        padded = "  ".join(c.ljust(w) for c, w in zip(row_cells, widths, strict=True)).rstrip()
        click.echo(click.style(padded, bold=True) if bold and line == 0 else padded)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return "" if value is None else str(value).replace("\n", "\\n").replace("\r", "\\r")
