"""The steps of a tagger's making, each from one folder to another: what the commands of
`scrubjay train` call. A run's folder: `train.run`; a bundle's: docs/spec/bundle.md."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch
from msgspec.structs import replace
from torch import Tensor

import scrubjay
from scrubjay.errors import UsageError
from scrubjay.marked import Marked
from scrubjay.model import bundle as bundles
from scrubjay.model.bundle import Calibration, Doubt, Pair
from scrubjay.model.lexicon import Lexicon
from scrubjay.train import (
    batches,
    begin,
    calibrate,
    distil,
    export,
    integers,
    material,
    prune,
    quantize,
    run,
    synth,
)  # fmt: skip
from scrubjay.train import fit as fitting
from scrubjay.train.batches import Batch, Packed
from scrubjay.train.corpora import Example
from scrubjay.train.fit import Plan
from scrubjay.train.material import Material
from scrubjay.train.net import ConvTagger, Tagger, build
from scrubjay.train.run import Run, Step
from scrubjay.train.targets import Targets

Tell = Callable[[str], None]
CONV = Plan(rate=2e-3, batch=3000)
ENCODER = Plan(rate=1.5e-4, batch=1500, freeze_words=True)
STARTS: dict[str, Callable[[], Tagger]] = {"conv": begin.conv, "encoder": begin.encoder}


def start(folder: Path, kind: str, source: Path | None, lexicon: Callable[[], Lexicon]) -> Run:
    """The net to train in `folder`: the one that is there already, or that of the run `source`, or
    a fresh one of a kind."""
    if run.exists(folder):
        return run.load(folder)
    if source:
        return run.load(source)
    return Run(STARTS[kind](), begin.vocabulary(), lexicon())


def plan_of(made: Run, **given: Any) -> Plan:
    """How a net of its kind is trained, but for what is given."""
    return replace(ENCODER if made.kind == "encoder" else CONV, **given)


def fit(made: Run, given: Material, plan: Plan, folder: Path, tell: Tell) -> None:
    """Train a net on what people have marked."""
    tokens = made.tokens

    def source(epoch: int) -> Packed:
        packed = batches.pack(given.examples(epoch), tokens, Targets())
        _tell_epoch(epoch, packed, given, tell)
        return packed

    _begin(made, folder, _step("fit", given, plan))
    fitting.fit(made.net, source, plan, folder, tell=tell)


class Lesson(NamedTuple):
    """What teachers say, and how much it counts: `hidden` of the loss for their last hidden layers,
    `share` of the rest for their tags. What was said of an epoch's texts is used `reuse` times;
    `plain`: unmarked texts an epoch. `shared`: a folder where all of it is kept, for every training
    that reads with this vocabulary."""

    teachers: Sequence[Run]
    temperature: float = 2.0
    share: float = 0.7
    reuse: int = 4
    plain: int = 500
    hidden: float = 0.0
    shared: Path | None = None


def distilled(
    made: Run, lesson: Lesson, given: Material, plan: Plan, *, folder: Path, tell: Tell
) -> None:
    """Train a net on what others say of the same texts, and of unmarked ones."""
    temperature, share, hidden = lesson.temperature, lesson.share, lesson.hidden
    kept = hidden > 0 or lesson.shared is not None  # others may want it
    judges = [distil.Teacher(one.net, one.tokens, kept, plan.half) for one in lesson.teachers]

    def examples(turn: int) -> Iterator[Example]:
        tell(f"epoch {turn * lesson.reuse}: asking {len(judges)} teacher(s)")
        yield from given.examples(turn)
        if given.data:
            yield from distil.unlabelled(given.data, lesson.plain, turn)

    def ask(turn: int) -> Packed:
        return distil.packed(
            examples(turn), made.tokens, judges, temperature=temperature, tell=tell
        )

    source = distil.source(
        ask, lesson.shared or folder, lesson.reuse,
        name=f"{temperature:g}{'-hidden' if kept else ''}", spare=lesson.shared is not None,
    )  # fmt: skip
    told = {"teachers": [list(one.steps) for one in lesson.teachers], "temperature": temperature}
    counts = {"share": share, **({"hidden": hidden} if hidden else {})}
    _begin(made, folder, {**_step("distil", given, plan), **told, **counts})
    fitting.fit(made.net, source, plan, folder, _loss(made, lesson, judges, plan.seed), tell)


def _loss(made: Run, lesson: Lesson, judges: Sequence[distil.Teacher], seed: int) -> fitting.Loss:
    temperature, share, hidden = lesson.temperature, lesson.share, lesson.hidden
    if not hidden:
        return distil.loss(temperature, share)
    torch.manual_seed(seed)
    width = sum(judge.width for judge in judges)
    return distil.Hidden(made.net, width, hidden, temperature=temperature, share=share)


def _begin(made: Run, folder: Path, step: Step) -> None:
    """Write what training does not write itself. Training that goes on is no further step."""
    steps = made.steps if (folder / "state.pt").exists() else (*made.steps, step)
    run.save(made._replace(steps=steps), folder, net=False)


def _step(name: str, given: Material, plan: Plan) -> Step:
    read = sorted({path.name.split(".")[0] for path in given.files()})
    budget = {"minutes": plan.minutes} if plan.minutes < math.inf else {"units": plan.units}
    return {
        "step": name, "scrubjay": scrubjay.__version__, "seeds": len(given.seeds), "corpora": read,
        **budget, "rate": plan.rate, "seed": plan.seed,
    }  # fmt: skip


def _tell_epoch(epoch: int, packed: Packed, given: Material, tell: Tell) -> None:
    near = f", {given.clear.dropped} near-copies left out so far" if given.clear.dropped else ""
    tell(f"epoch {epoch}: {len(packed.pieces)} units in {len(packed.lengths)} windows{near}")


class Cut(msgspec.Struct, frozen=True):
    """What stays: numbers of layers and pieces and the width of embeddings, shares of heads and
    neurons. None: as it is."""

    layers: int | None = None
    heads: float | None = None
    neurons: float | None = None
    vocabulary: int | None = None
    embedding: int | None = None


def pruned(made: Run, cut: Cut, given: Material, units: int = 20_000) -> Run:
    """A smaller net. What counts is told by about so many units of an epoch."""
    net, pieces = made.net, made.vocabulary
    if cut.heads is not None and made.kind == "conv":
        raise UsageError("a net of convolutions has no attention heads")
    data = list(sample(made, given.examples(0), units))
    if cut.layers is not None:
        net = prune.thin(net, data, cut.layers)
    if cut.heads is not None:
        net = prune.heads(net, prune.best(prune.importance(net, data, "heads"), cut.heads))
    if cut.neurons is not None:
        told = prune.importance(net, data, "neurons")
        net = prune.neurons(net, prune.best(told, cut.neurons, least=16, step=16))
    if cut.vocabulary is not None:
        texts = [*given.texts(), *(example.text for example in given.examples(0))]
        counts = prune.frequency(pieces, texts)
        net, pieces = prune.vocabulary(net, pieces, counts, cut.vocabulary)
    if cut.embedding is not None:
        net = prune.embedding(net, cut.embedding)
    kept = {key: value for key, value in msgspec.to_builtins(cut).items() if value is not None}
    return Run(net, list(pieces), made.lexicon, (*made.steps, {"step": "prune", **kept}))


def averaged(runs: Sequence[Run], share: float | None = None) -> Run:
    """The mean of nets that were trained from the same one. `share`: how much the first counts; the
    others share the rest."""
    first, *others = runs
    reads = first.net.size, first.vocabulary
    if not others or any((one.net.size, one.vocabulary) != reads for one in others):
        raise UsageError("average takes runs that began with the same net, two at least")
    own = share or 1 / len(runs)
    parts = [own, *[(1 - own) / len(others)] * len(others)]
    states = [one.net.state_dict() for one in runs]
    mean = {
        name: sum(part * state[name] for part, state in zip(parts, states, strict=True))
        for name in states[0]
    }
    net = build(first.net.size)
    net.load_state_dict(mean)
    step = {"step": "average", "nets": len(runs), "share of the first": round(own, 3)}
    return first._replace(net=net.eval(), steps=(*first.steps, step))


def sample(
    made: Run, examples: Iterable[Example], units: int, size: int = 2000
) -> Iterator[tuple[Batch, Tensor]]:
    """Batches of about so many units in all."""
    packed = batches.pack(material.some(examples, max(1, units // 100)), made.tokens, Targets())
    sets = batches.sets_of(packed)
    dice = np.random.default_rng(1)
    for batch in batches.batches(packed, size, dice, encoder=made.kind == "encoder"):
        if units <= 0:
            return
        units -= int(batch.mask.sum())
        yield batch, sets


def exported(
    made: Run, folder: Path, to: str = "onnx", calibration: Calibration | None = None
) -> None:
    """A bundle with the fp32 net for a runtime, one of `export.FORMS`."""
    folder.mkdir(parents=True, exist_ok=True)
    export.write(
        folder, export.FORMS[to](made.net, folder), made.vocabulary, made.lexicon, name=folder.name,
        kind=made.kind, version=scrubjay.__version__,
        origin={"steps": list(made.steps), "size": msgspec.to_builtins(made.net.size)},
    )  # fmt: skip
    calibrate.settle(folder, calibration or Calibration())


def quantized(source: Path, target: Path, documents: Sequence[Marked]) -> None:
    """A bundle with the int8 net of another bundle. The documents fix the scales of a net of
    convolutions."""
    old, made = bundles.read(source), run.load(source)
    if old.net != "model.onnx":
        raise UsageError(f"{source}: quantize takes ONNX; scrubjay train export --to onnx makes it")
    target.mkdir(parents=True, exist_ok=True)
    if isinstance(made.net, ConvTagger):
        tops = integers.ranges(made.net, inputs_of(made, documents))
        integers.write(made.net, tops, target / "model.onnx")
    else:
        quantize.write(made.net, target / "model.onnx")
    steps = [*made.steps, {"step": "quantize", "documents": len(documents)}]
    export.write(
        target, export.split(target / "model.onnx"), made.vocabulary, made.lexicon,
        name=target.name, kind=old.kind, version=old.version, origin={**old.origin, "steps": steps},
    )  # fmt: skip
    calibrate.settle(target, old.calibration)


def paired(first: Path, second: Path, doubt: Doubt, folder: Path) -> None:
    """A pair of two bundles that lie where its own folder does. Its threshold is the second's until
    it is calibrated."""
    places = [path.absolute() for path in (first, second, folder)]
    if len({place.parent.resolve() for place in places}) > 1:
        raise UsageError(f"{folder}: a pair lies beside its bundles, {first} and {second}")
    if (folder / "bundle.json").exists() and not bundles.is_pair(folder):
        raise UsageError(f"{folder}: holds a bundle; name another folder")
    old = bundles.read(second)
    if any(bundles.read(first).sha256[file] != old.sha256[file] for file in bundles.FILES):
        raise UsageError(f"{first} and {second} differ in {' or '.join(bundles.FILES)}")
    folder.mkdir(parents=True, exist_ok=True)
    names = (places[0].name, places[1].name)
    digests = {name: bundles.sha256(folder.parent / name / "bundle.json") for name in names}
    bundles.write(folder, Pair(
        bundles.FORMAT, folder.name, old.version, "pair", names, doubt,
        Calibration(threshold=old.calibration.threshold), digests,
    ))  # fmt: skip


def inputs_of(made: Run, documents: Sequence[Marked]) -> Iterator[Sequence[Tensor]]:
    """What a net of convolutions is given for some documents."""
    packed = batches.pack(map(synth.example, documents), made.tokens, Targets())
    for batch in batches.batches(packed, 2000, np.random.default_rng(1), encoder=False):
        yield fitting.inputs(made.net, batch)


def threads(count: int) -> None:
    """Cores that training may use; 0: all."""
    if count:
        torch.set_num_threads(count)
