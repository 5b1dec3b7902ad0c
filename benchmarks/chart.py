"""Draws docs/race.svg from results/rivals.json: speed, memory and what is missed, a row a system.

python benchmarks/chart.py
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import harness

RESULT = harness.HERE / "results" / "rivals.json"
CHART = harness.HERE.parent / "docs" / "race.svg"
ROWS = {  # system: how it is called, whose it is
    "fast": ("Scrubjay fast", "ours"),
    "balanced": ("Scrubjay balanced", "ours"),
    "accurate": ("Scrubjay accurate", "ours"),
    "spacy": ("spaCy alone", "theirs"),
    "presidio": ("Presidio with spaCy", "theirs"),
}
WIDTH, LEFT, TOP, ROW, BAR = 880, 150, 58, 34, 20
GAP, ROOM = 18, 66  # between panels, and for the number behind the longest bar
ENOUGH = 5_000_000  # tokens that the rivals' net must have learnt from
STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", Arial, sans-serif; fill: #1f2328 }
.head { font-weight: 600 } .aside { font-size: 11.5px; fill: #59636e } .ours { fill: #0a7c66 }
.theirs { fill: #a3abb5 } .value { font-variant-numeric: tabular-nums } .base { stroke: #d1d9e0 }
text.name.ours { fill: #0a6350; font-weight: 600 } text.name.theirs { fill: #59636e }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .aside, text.name.theirs { fill: #9198a1 } .ours { fill: #2fbf9b }
.theirs { fill: #656c76 } .base { stroke: #3d444d } text.name.ours { fill: #4fd6b4 } }
"""


class Panel(NamedTuple):
    """One measure: what it is, which end is good, a system's value, how it is written."""

    head: str
    aside: str
    value: Callable[[dict[str, Any]], float]
    written: Callable[[float], str]


def panels(result: dict[str, Any]) -> list[Panel]:
    """What is shown."""
    texts = next(iter(result["texts"]))
    found = [
        Panel("Words a second, one core", "clinical notes; more is better",
              lambda told: told["speed"][texts]["many"], _rounded),
        Panel("Memory", "peak of the process; less is better",
              lambda told: told["peak_MB"], lambda value: f"{_rounded(value)} MB"),
        Panel("Characters of identifiers missed", "presidio_synth_v2; less is better",
              lambda told: 1 - told["accuracy"]["presidio_synth_v2"]["recall"], "{:.1%}".format),
    ]  # fmt: skip
    return found if result["trained"]["tokens_seen"] >= ENOUGH else found[:2]


def _rounded(value: float) -> str:
    return f"{round(harness.significant(value, 2 if value >= 1000 else 3)):,}"


def drawn(result: dict[str, Any]) -> Iterator[str]:
    """The lines of the file."""
    height = TOP + ROW * len(ROWS) + 30
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">'
    )
    yield f"<title>Scrubjay beside Presidio and spaCy</title><style>{STYLE}</style>"
    for at, (name, whose) in enumerate(ROWS.values()):
        yield _text(LEFT - 12, _middle(at), name, f"name {whose}", 'text-anchor="end"')
    shown = panels(result)
    step = (WIDTH - LEFT) // len(shown)
    for number, panel in enumerate(shown):
        yield from _panel((LEFT + number * step, step - GAP), panel, result["systems"])
    yield _text(LEFT, height - 7, footnote(result), "aside")
    yield "</svg>"


def footnote(result: dict[str, Any]) -> str:
    """What a reader must know."""
    cpu = " ".join(result["systems"]["presidio"]["machine"]["cpu"].replace("(R)", "").split())
    trained = f"trained {result['trained']['processor_minutes']:.0f} minutes on our data"
    return f"{cpu}. spaCy and Presidio run a net of the size of en_core_web_lg, {trained}."


def _panel(place: tuple[int, int], panel: Panel, systems: dict[str, Any]) -> Iterator[str]:
    """At this left edge, of this width."""
    left, wide = place
    values = {name: panel.value(systems[name]) for name in ROWS}
    scale = (wide - ROOM) / max(values.values())
    yield _text(left, 20, panel.head, "head")
    yield _text(left, 38, panel.aside, "aside")
    for at, (name, value) in enumerate(values.items()):
        width, top = max(value * scale, 1.5), TOP + at * ROW + (ROW - BAR) / 2
        box = f'x="{left}" y="{top:g}" width="{width:.1f}" height="{BAR}" rx="2"'
        yield f'<rect class="{ROWS[name][1]}" {box}/>'
        yield _text(left + width + 6, _middle(at), panel.written(value), "value")
    bottom = TOP + ROW * len(ROWS)
    yield f'<path class="base" d="M{left - 0.5} {TOP}V{bottom}"/>'


def _middle(row: int) -> float:
    return TOP + row * ROW + ROW / 2 + 4.5


def _text(x: float, y: float, words: str, kind: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:g}" class="{kind}" {more}>{words}</text>'


def main() -> None:
    """Read and draw."""
    result = json.loads(RESULT.read_text("utf-8"))
    CHART.write_text("\n".join(drawn(result)) + "\n", "utf-8")


if __name__ == "__main__":
    main()
