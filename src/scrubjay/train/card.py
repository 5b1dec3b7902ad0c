"""The model card of a bundle, from its bundle.json and from evaluations.

    python -m scrubjay.train.card BUNDLE EVALUATION.json... > card.md

Every number is one that `scrubjay evaluate --json`, or benchmarks/fairness.py, measured; the text
around them is fixed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scrubjay.model import bundle as bundles
from scrubjay.model.bundle import Bundle, Pair
from scrubjay.model.tags import CLASSES

WEAK = 0.85  # labels whose recall is lower are said to be weak
ENOUGH = 200  # characters of gold that a slice must hold to be told


def card(folder: Path, evaluations: list[Path]) -> str:
    """The page."""
    bundle = bundles.read_pair(folder) if bundles.is_pair(folder) else bundles.read(folder)
    told = [json.loads(path.read_text("utf-8")) for path in evaluations]
    fair = [row["profiles"][bundle.name] for row in told if bundle.name in row.get("profiles", ())]
    told = [row for row in told if "leak" in row]
    measured = [*_measured(told), *_weak(told), *_slices(told)] if told else []
    return "\n".join([*_head(bundle, folder), *_origin(bundle), *measured, *_fair(fair)]) + "\n"


def _head(bundle: Bundle | Pair, folder: Path) -> Iterator[str]:
    size = sum(path.stat().st_size for path in bundles.files_of(folder)) / 1e6
    yield f"# Model card: {bundle.name}, version {bundle.version}\n"
    yield (
        f"A tagger for `tagger.v1`: {_kind(bundle)}, int8, {size:.1f} MB with vocabulary "
        f"and lexicon. It marks {len(CLASSES)} kinds of identifiers in English text.\n"
    )
    yield "**For** finding identifiers together with the pattern catalogue. **Not for** other"
    yield "languages, for deciding about people, or as the only safeguard of a release.\n"


def _kind(bundle: Bundle | Pair) -> str:
    if isinstance(bundle, Bundle):
        return {"conv": "a convolutional net", "encoder": "a transformer encoder"}[bundle.kind]
    first, second = (f"[{name}](../{name}/card.md)" for name in bundle.nets)
    low, high, margin = bundle.doubt.low, bundle.doubt.high, bundle.doubt.margin
    return (
        f"{first} reads everything; {second}, what {first} finds an identifier with a probability "
        f"from {low:g} to {high:g}, and {margin} units around it"
    )


def _origin(bundle: Bundle | Pair) -> Iterator[str]:
    yield "## Where it comes from\n"
    for step in bundle.origin.get("steps", ()):
        told = "; ".join(
            f"{key} {_said(key, value)}" for key, value in step.items() if key != "step"
        )
        yield f"- **{step['step']}**: {told}"
    known = bundle.calibration
    yield (
        f"- **calibration**: {known.documents} documents that did not train it; temperature "
        f"{known.temperature}, threshold {known.threshold}"
    )
    if known.thresholds:
        rows = ", ".join(f"{recall} at {least}" for recall, least in known.thresholds.items())
        yield f"- **recall asked for** (95 % confidence, on calibration documents): {rows}"
    yield "- **licences** of all data: [NOTICE](../../../../../NOTICE)"


def _said(key: str, value: Any) -> str:
    if key == "teachers":  # each with steps of its own
        return ", ".join(f"one of {len(steps)} steps" for steps in value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _measured(told: list[dict[str, Any]]) -> Iterator[str]:
    yield "\n## Measured, together with the patterns\n"
    yield "Characters of gold that were covered, whatever the label, and characters of findings"
    yield "that are gold; in brackets 95 % intervals.\n"
    yield "| data | documents | recall | precision | documents without a leak |"
    yield "|---|---:|---|---|---|"
    for result in told:
        name = ", ".join(source["name"] for source in result["data"]["files"][:1])
        more = len(result["data"]["files"])
        leak, clean = result["leak"]["characters"], result["leak"]["documents"]
        yield (
            f"| {name if more == 1 else f'{more} files'} | {result['data']['documents']} "
            f"| {_share(leak, True)} | {_share(result['precision'])} | {_share(clean, True)} |"
        )
    yield ""


def _share(rate: dict[str, Any] | None, inverse: bool = False) -> str:
    if not rate:
        return ""
    value, low, high = rate["value"], rate["low"], rate["high"]
    if inverse:
        value, low, high = 1 - value, 1 - high, 1 - low
    return f"{value:.3f} [{low:.3f} {high:.3f}]"


def _weak(told: list[dict[str, Any]]) -> Iterator[str]:
    yield "## What it is bad at\n"
    rows = []
    for result in told:
        for label, rates in result["leak_by_label"].items():
            rate = rates.get("characters")
            if rate and 1 - rate["value"] < WEAK and rate["of"] >= 100:
                rows.append(
                    f"- {label}: {_share(rate, True)} of characters covered ({_name(result)})"
                )
    yield from rows or ["- nothing measured lies below the line"]


def _slices(told: list[dict[str, Any]]) -> Iterator[str]:
    yield "\n## Slices\n"
    yield f"Recall of characters where it is worst and best, of slices that hold {ENOUGH} or more."
    yield "Culture and gender are guessed from lists of names.\n"
    yield "| data | by | worst | best |"
    yield "|---|---|---|---|"
    for result in told:
        for kind, slices in result["slices"].items():
            rates = {name: row["leak"]["characters"] for name, row in slices.items() if row["leak"]}
            kept = [(1 - r["value"], n, r) for n, r in rates.items() if r and r["of"] >= ENOUGH]
            if len(kept) > 1:
                ends = (f"{name} {_share(r, True)}" for _, name, r in (min(kept), max(kept)))
                yield f"| {_name(result)} | {kind} | {' | '.join(ends)} |"


def _fair(told: list[dict[str, Any]]) -> Iterator[str]:
    """What benchmarks/fairness.py tells: names of all cultures in the same sentences."""
    for result in told:
        yield "\n## Whose names are found\n"
        cultures, gap = result["slices"]["culture"], result["gap"]["cultures"]
        yield f"Names of {len(cultures)} cultures in the same sentences, in all cases: the share"
        yield f"that is found whole is {_share(result['all'])}. The worst and the best"
        yield "culture, and the worst slice of any kind:\n"
        for name in (gap["worst"], gap["best"]):
            yield f"- {name.replace('_', ' ')}: {_share(cultures[name])}"
        worst = result["worst"][0]
        yield f"- {', '.join(worst['slice'].values())}: {_share(worst)}"


def _name(result: dict[str, Any]) -> str:
    files = result["data"]["files"]
    return str(files[0]["name"]) if len(files) == 1 else f"{len(files)} files"


if __name__ == "__main__":
    print(card(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]), end="")  # noqa: T201
