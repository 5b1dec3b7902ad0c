"""`scrubjay evaluate`: how well personal data is found in texts that people have marked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from scrubjay import evaluate
from scrubjay.cli import files, options, vaults
from scrubjay.engine import load
from scrubjay.errors import InputError
from scrubjay.evaluate import page
from scrubjay.evaluate.gold import JSONL
from scrubjay.evaluate.result import Evaluation

_path = click.Path(path_type=Path, allow_dash=True)


class Wanted(NamedTuple):
    """What is measured, and where it is told."""

    data: tuple[Path, ...]
    json_file: Path | None
    html_file: Path | None
    labels_file: Path | None
    show_text: bool
    limit: int | None


@click.command()
@click.option(
    "--data", required=True, multiple=True, type=_path,
    help="A .jsonl or .jsonl.gz file, a marked .txt file, or a folder of either. Repeatable.",
)  # fmt: skip
@click.option("--json", "json_file", type=_path, help="Write every number.")
@click.option("--html", "html_file", type=_path, help="Write a report to read and to print.")
@options.policy_of("everything")
@options.profile
@options.recall
@click.option(
    "--labels", "labels_file", type=_path,
    help="A TOML or JSON table: a label of the data = ours, a list of ours, any, or ignore.",
)  # fmt: skip
@click.option("--show-text", is_flag=True, help="Put text into the files that are written.")
@click.option("--limit", type=click.IntRange(1), help="Read only so many documents.")
def command(policy: str, profile: str, recall: str, **told: Any) -> None:
    """Measure leaks, precision, recall and speed on DATA that people have marked.

    What the numbers mean: docs/spec/evaluation.md. Without --show-text, nothing that is written or
    printed holds text of a document.
    """
    trust, wanted = vaults.asked("evaluate.run"), Wanted(**told)
    corpus = evaluate.read(sources(wanted.data), wanted.labels_file, wanted.limit)
    engine = load(policy, profile=profile, recall=recall)
    if trust:
        vaults.looked(trust, "evaluate", engine, show_text=wanted.show_text)
    system = evaluate.system_of(engine, profile)
    result = evaluate.evaluate(corpus, engine.find, system, show_text=wanted.show_text)
    with files.Outputs() as outputs:
        for target, make in ((wanted.json_file, _json), (wanted.html_file, page.render)):
            if target:
                with outputs.open(target) as sink:
                    sink.write(make(result).encode())
    for line in summary(result):
        click.echo(line, err=files.STDIO in (wanted.json_file, wanted.html_file))


def sources(data: tuple[Path, ...]) -> list[Path]:
    """Every file; in a folder, every one that can be read."""
    found: list[Path] = []
    for path in data:
        inside = files.expand(path)
        if path.is_dir():
            inside = [file for file in inside if file.name.lower().endswith((*JSONL, ".txt"))]
        if not inside:
            raise InputError(f"{path}: holds no {', '.join(JSONL)} or marked .txt file")
        found += inside
    return found


def _json(result: Evaluation) -> str:
    return msgspec.json.format(msgspec.json.encode(result), indent=1).decode() + "\n"


def summary(result: Evaluation) -> list[str]:
    """The few numbers to look at first."""
    data, speed = result.data, result.speed
    counts = (data.documents, "document"), (data.words, "word"), (sum(data.spans.values()), "span")
    rows = [", ".join(page.counted(*count) for count in counts)]
    told = {
        "leaked, characters": result.leak.characters,
        "leaked, spans": result.leak.spans,
        "documents with a leak": result.leak.documents,
        "precision, characters": result.precision,
        **{f"{of}, strict": rate for of, rate in _strict(result)},
    }
    rows += [f"{what:24}{page.percent(rate)}" for what, rate in told.items()]
    return [*rows, f"{'speed':24}{speed.words_per_second:,.0f} words/s, {speed.seconds:.2f} s"]


def _strict(result: Evaluation) -> list[tuple[str, page.Told]]:
    scores = result.spans["aware"]["strict"].get("*")
    kinds = ("precision", "recall", "f1", "f2")
    return [(kind, getattr(scores, kind, None)) for kind in kinds]
