"""The page and the plot of what ablation.py measured.

    python benchmarks/pareto.py benchmarks/results/ablation.json --docs docs

Writes the section between two marks in training-log.md, and pareto.svg: F2 over words per second,
a dot for every bundle, and a line through those that no other beats in both.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from statistics import fmean
from textwrap import fill
from typing import Any

Bundle = dict[str, Any]
Point = tuple[float, float]
BEGIN, END = "<!-- ablation: written by benchmarks/pareto.py -->", "<!-- /ablation -->"
WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 170, 20, 60
LINE = 15  # of text
COLOURS = {"shipped": "#b3261e", "int8": "#1f5fa8", "fp32": "#9aa7b5"}
SPEEDS = (500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)


def main() -> None:
    """Write both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("result", type=Path)
    parser.add_argument("--docs", type=Path, required=True)
    asked = parser.parse_args()
    write(json.loads(asked.result.read_text("utf-8")), asked.docs)


def write(result: dict[str, Any], docs: Path) -> None:
    """The section of the training log, and the plot."""
    page = docs / "training-log.md"
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    page.write_text(before + section(result) + rest.partition(END)[2], "utf-8")
    (docs / "pareto.svg").write_text(plot(result), "utf-8")


def section(result: dict[str, Any]) -> str:
    """The table, from mark to mark."""
    sets = result["sets"]
    head = ("net", "", *map(title, sets), "MB", "words/s", "CPU s / 1,000 words", "products a unit")
    lines = [head, ("---", "---", *("---:",) * (len(head) - 2)), *map(cells, result["bundles"])]
    told = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    said = f"{BEGIN}\n\n## What each step gives\n\n{_said(result)}"
    return f"{said}\n\n{told}\n\n![F2 and speed](pareto.svg)\n\n{END}"


def _said(result: dict[str, Any]) -> str:
    sets = ", ".join(f"{title(name)} ({count})" for name, count in result["sets"].items())
    told = (
        "Recall / precision of characters, patterns and tagger together, and in brackets those of "
        f"the tagger alone. Sets and their documents: {sets}; the seeds are those that neither "
        "trained nor calibrated. Speed is that of the whole engine on one core "
        f"({result['machine']['cpu']}). In the plot, what ships is red, int8 blue, fp32 grey; the "
        "line joins those that no other beats both ways."
    )
    if any("trained" in bundle for bundle in result["bundles"]):
        teachers = " and ".join(f"`{name}`" for name in result["teachers"])
        told = (
            f"Every training is {result['units']:,} units long; nets that were cut or taught again "
            f"had two. The teacher is {teachers}. {told}"
        )
    return fill(told, 100)


def title(name: str) -> str:
    """A file's name without what it ends in."""
    return name.split(".")[0]


def cells(bundle: Bundle) -> Iterator[str]:
    """One line of the table."""
    yield from (bundle["told"], bundle["form"])
    for found in bundle["accuracy"].values():
        both, alone = (_pair(found[way]) for way in ("with_patterns", "alone"))
        yield f"{both} ({alone})"
    yield from (f"{bundle['bytes'] / 1e6:.1f}", f"{bundle['words_per_s']:,}")
    yield from (f"{bundle['cpu_s_per_1000_words']:.3f}", f"{bundle['products'] / 1e6:.2f} M")


def _pair(found: dict[str, Any]) -> str:
    return " / ".join(f"{found[way][0]:.3f}".lstrip("0") for way in ("recall", "precision"))


def plot(result: dict[str, Any]) -> str:
    """All bundles as dots."""
    found = [(bundle, point(bundle, result["held_out"])) for bundle in result["bundles"]]
    least, most = _range([f2 for _, (_, f2) in found])
    ends = (math.log(min(s for _, (s, _) in found) * 0.8), math.log(SPEEDS[-1]))

    def place(at: Point) -> Point:
        across = (math.log(at[0]) - ends[0]) / (ends[1] - ends[0])
        up = (at[1] - least) / (most - least)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (
            HEIGHT - TOP - BOTTOM
        )

    step = 0.01 if most - least <= 0.1 else 0.05
    ticks = [least + step * n for n in range(round((most - least) / step) + 1)]
    speeds = [speed for speed in SPEEDS if math.log(speed) >= ends[0]]
    parts = [
        *_across([(f"{tick:.2f}", place((speeds[0], tick))[1]) for tick in ticks]),
        *_along([(f"{speed:,}", place((speed, least))[0]) for speed in speeds]),
        _front([place(at) for at in best([at for _, at in found])]),
        *_dots([(bundle, place(at)) for bundle, at in found]),
    ]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        "<title>F2 and speed of every tagger</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>', *parts, "</svg>\n",
    ])  # fmt: skip


def point(bundle: Bundle, held_out: str) -> Point:
    """Words per second, and the mean F2 over the measuring sets; where there are none, over the
    seeds."""
    found = {name: told["with_patterns"]["f2"] for name, told in bundle["accuracy"].items()}
    sets = [f2 for name, f2 in found.items() if name != held_out] or list(found.values())
    return bundle["words_per_s"], fmean(sets)


def best(points: Sequence[Point]) -> list[Point]:
    """Those that no other beats in both, fastest last."""
    return sorted(
        one for one in points
        if not any(two != one and two[0] >= one[0] and two[1] >= one[1] for two in points)
    )  # fmt: skip


def _range(values: Sequence[float]) -> Point:
    """Whole hundredths, or twentieths where they are far apart, around some values."""
    step = 0.01 if max(values) - min(values) <= 0.08 else 0.05
    return (math.floor(min(values) / step - 0.2) * step, math.ceil(max(values) / step + 0.2) * step)


def _across(ticks: Sequence[tuple[str, float]]) -> Iterator[str]:
    for told, y in ticks:
        yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#e3e6ea"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{told}</text>'
    y = (TOP + HEIGHT - BOTTOM) / 2
    yield (
        f'<text x="18" y="{y}" text-anchor="middle" transform="rotate(-90 18 {y})">'
        "F2 of characters, with patterns, mean of the sets</text>"
    )


def _along(ticks: Sequence[tuple[str, float]]) -> Iterator[str]:
    for told, x in ticks:
        yield f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#e3e6ea"/>'
        yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{told}</text>'
    x, y = (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14
    yield f'<text x="{x}" y="{y}" text-anchor="middle">words per second, one core</text>'


def _front(points: Sequence[Point]) -> str:
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{line}" fill="none" stroke="#444" stroke-dasharray="4 3"/>'


def _dots(found: Sequence[tuple[Bundle, Point]]) -> Iterator[str]:
    """Dots, and names in a column of their own, each on a line to its dot: dots lie close."""
    ordered = sorted(found, key=lambda pair: pair[1][1])
    for (bundle, (x, y)), at in zip(ordered, _apart([y for _, (_, y) in ordered]), strict=True):
        told = f"{bundle['name']} {bundle['form']}, {bundle['bytes'] / 1e6:.1f} MB"
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{_colour(bundle)}"/>'
        ends = f"M{x + 6:.1f} {y:.1f}L{WIDTH - RIGHT + 4} {at:.1f}"
        yield f'<path d="{ends}" stroke="{_colour(bundle)}" stroke-width="0.6"/>'
        yield f'<text x="{WIDTH - RIGHT + 8}" y="{at + 4:.1f}">{escape(told)}</text>'


def _apart(ys: Sequence[float]) -> list[float]:
    """Heights in ascending order, moved until one line of text fits between any two."""
    places: list[float] = []
    for y in ys:
        places.append(max(y, places[-1] + LINE) if places else y)
    least = HEIGHT - BOTTOM + LINE
    for number in reversed(range(len(places))):
        places[number] = least = min(places[number], least - LINE)
    return places


def _colour(bundle: Bundle) -> str:
    return COLOURS[bundle["form"] if "trained" in bundle else "shipped"]


if __name__ == "__main__":
    main()
