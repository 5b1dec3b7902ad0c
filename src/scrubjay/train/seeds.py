"""Seed documents: hand-written texts with every identifier marked `[[LABEL|value]]`.

    python -m scrubjay.train.seeds FILE...

lists broken marks, unknown labels and marked values that stand unmarked elsewhere in a document.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from scrubjay import labels
from scrubjay.marked import STRAY, Marked, parse


def shipped() -> list[Marked]:
    """All seed documents of the package."""
    folder = resources.files("scrubjay.train") / "seeds"
    files = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".txt"))
    return [seed for name in files for seed in parse((folder / name).read_text("utf-8"))]


def problems(seed: Marked) -> Iterator[tuple[int, str]]:
    """What is wrong, with its place in the text without marks."""
    for stray in STRAY.finditer(seed.text):
        yield stray.start(), "a broken mark"
    known = labels.table()
    for span in seed.spans:
        value = seed.text[span.start : span.end]
        if span.label not in known:
            yield span.start, f"unknown label {span.label}"
        if value != value.strip() or "\n\n" in value:
            yield span.start, f"{span.label}: blanks at an end, or a blank line inside"
    yield from ((at, f"{label} unmarked: {value}") for at, label, value in repeats(seed))


def repeats(seed: Marked) -> Iterator[tuple[int, str, str]]:
    """Marked values that stand elsewhere in the text without a mark."""
    covered = bytearray(len(seed.text))
    for start, end, _ in seed.spans:
        covered[start:end] = b"\1" * (end - start)
    seen: set[str] = set()
    for start, end, label in seed.spans:
        value = seed.text[start:end]
        words = [value, *value.split()] if label == "PERSON" else [value]
        for word in words:
            word = word.strip(".,")
            if len(word) < 3 or word in seen:
                continue
            seen.add(word)
            for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", seed.text):
                if not any(covered[match.start() : match.end()]):
                    yield match.start(), label, word


def main(paths: list[str]) -> int:
    """Check files; the exit status is 1 where there is a problem."""
    bad = 0
    for path in paths:
        file = Path(path).read_text("utf-8")
        seeds = list(parse(file))
        for seed in seeds:
            for at, problem in problems(seed):
                bad += 1
                line = seed.text.count("\n", 0, at) + 1
                print(f"{Path(path).name} {seed.name} line {line}: {problem}")  # noqa: T201
        print(f"{Path(path).name}: {len(seeds)} documents")  # noqa: T201
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
