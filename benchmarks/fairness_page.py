"""The chart and the tables of docs/fairness.md, from the result of benchmarks/fairness.py.

    python benchmarks/fairness_page.py benchmarks/results/fairness.json docs

Writes fairness.svg, and fairness.md between its marks `<!-- NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import harness

COLOURS = {"fast": "#d55e00", "balanced": "#0072b2", "accurate": "#009e73"}
LEFT, RIGHT, TOP, ROW, WIDTH = 130, 20, 54, 20, 760
KINDS = ("case", "form", "register", "accents", "gender", "word", "lexicon", "frequency", "born")
SAID = {"a word, too": "names that are words, too"}

Told = dict[str, Any]


def main() -> None:
    """Read, draw, write."""
    result, folder = Path(sys.argv[1]), Path(sys.argv[2])
    profiles: Told = json.loads(result.read_text("utf-8"))["profiles"]
    profiles = {name: profiles[name] for name in COLOURS if name in profiles}
    (folder / "fairness.svg").write_text("\n".join(chart(profiles)) + "\n", "utf-8")
    page = folder / "fairness.md"
    for part in (headline, cultures, slices, worst, falsely):
        harness.between(page, part.__name__, part(profiles))


# --- chart


def chart(profiles: Told) -> Iterator[str]:
    """A row for each culture, a dot with its interval for each profile; the worst is on top."""
    rows = ordered(profiles)
    lows = [row["low"] for told in profiles.values() for row in told["slices"]["culture"].values()]
    least = int(min(lows) * 20) / 20
    height = TOP + ROW * len(rows) + 34

    def x(value: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (value - least) / (1 - least), 1)

    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
    yield ' font-family="sans-serif" font-size="12">'
    yield f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    yield '<text x="10" y="20" font-size="14" font-weight="bold">'
    yield "Names found, by culture: share and 95 % interval</text>"
    for place, name in enumerate(profiles):
        yield f'<circle cx="{LEFT + 110 * place}" cy="36" r="4" fill="{COLOURS[name]}"/>'
        yield f'<text x="{LEFT + 110 * place + 9}" y="40">{name}</text>'
    yield from _axis(x, least, height)
    for place, culture in enumerate(rows):
        middle = TOP + ROW * place + ROW / 2
        yield f'<text x="{LEFT - 8}" y="{middle + 4}" text-anchor="end">{_label(culture)}</text>'
        for number, (name, told) in enumerate(profiles.items()):
            row, colour = told["slices"]["culture"][culture], COLOURS[name]
            y = middle + 5 * (number - (len(profiles) - 1) / 2)
            yield f'<path d="M{x(row["low"])} {y}H{x(row["high"])}" stroke="{colour}"/>'
            yield f'<circle cx="{x(row["value"])}" cy="{y}" r="3" fill="{colour}"/>'
    yield "</svg>"


def _axis(x: Any, least: float, height: int) -> Iterator[str]:
    for step in range(round(least * 20), 21):
        at = x(step / 20)
        yield f'<path d="M{at} {TOP}V{height - 30}" stroke="#ddd"/>'
        yield f'<text x="{at}" y="{height - 14}" text-anchor="middle">{step / 20:.2f}</text>'


def ordered(profiles: Told) -> list[str]:
    """The cultures, the worst of all profiles together first."""
    values = [told["slices"]["culture"] for told in profiles.values()]
    return sorted(values[0], key=lambda name: sum(row[name]["value"] for row in values))


# --- tables


def headline(profiles: Told) -> Iterator[str]:
    """All, the worst slice, the gap."""
    yield "| | all names | worst slice | gap between cultures | as written | by chance alone |"
    yield "|---|---|---|---|---|---|"
    for name, told in profiles.items():
        first, gap = told["worst"][0], told["gap"]
        told_gaps = " | ".join(_gap(gap[kind]) for kind in ("cultures", "cultures, as written"))
        yield (
            f"| `{name}` | {_rate(told['all'])} | {_slice(first['slice'])}: {_rate(first)} "
            f"| {told_gaps} | {gap['cultures, by chance']:.3f} |"
        )


def cultures(profiles: Told) -> Iterator[str]:
    """Each culture: all its names, and those that the lexicon does not know."""
    yield "| culture |" + "".join(f" `{name}` | not in the lexicon |" for name in profiles)
    yield "|---|" + "---|---|" * len(profiles)
    for culture in ordered(profiles):
        cells = (
            _rate(told["slices"][kind].get(culture))
            for told in profiles.values() for kind in ("culture", "culture, not known")
        )  # fmt: skip
        yield f"| {_label(culture)} | {' | '.join(cells)} |"


def slices(profiles: Told) -> Iterator[str]:
    """Every other kind of slice."""
    yield "| by | slice | " + " | ".join(f"`{name}`" for name in profiles) + " |"
    yield "|---|---|" + "---|" * len(profiles)
    for kind in KINDS:
        first = next(
            (told["slices"][kind] for told in profiles.values() if kind in told["slices"]), {}
        )
        for name in first:
            cells = (_rate(told["slices"].get(kind, {}).get(name)) for told in profiles.values())
            yield f"| {kind} | {name} | {' | '.join(cells)} |"


def worst(profiles: Told) -> Iterator[str]:
    """Where two kinds meet."""
    yield "| profile | slice | found | names |"
    yield "|---|---|---|---:|"
    for name, told in profiles.items():
        for row in told["worst crossings"][:5]:
            yield f"| `{name}` | {_slice(row['slice'])} | {_rate(row)} | {row['names']} |"


def falsely(profiles: Told) -> Iterator[str]:
    """What is nobody's."""
    yield "| | " + " | ".join(f"`{name}`" for name in profiles) + " |"
    yield "|---|" + "---:|" * len(profiles)
    for key in next(iter(profiles.values()))["falsely"]:
        yield (
            f"| {key} | "
            + " | ".join(str(told["falsely"][key]) for told in profiles.values())
            + " |"
        )


def _rate(row: Told | None) -> str:
    return f"{row['value']:.3f} [{row['low']:.3f} {row['high']:.3f}]" if row else ""


def _gap(gap: Told) -> str:
    return f"{gap['gap']:.3f} ({_label(gap['best'])}, {_label(gap['worst'])})"


def _slice(told: dict[str, str]) -> str:
    return ", ".join(SAID.get(name, f"{kind} {_label(name)}") for kind, name in told.items())


def _label(name: str) -> str:
    return name.replace("_", " ")


if __name__ == "__main__":
    main()
