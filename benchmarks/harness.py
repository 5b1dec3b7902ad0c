"""What the benchmarks share: one core, a clock that copes with noise, facts about the machine.

Standard library only, so that it also runs inside another package's environment.
"""

from __future__ import annotations

import gzip
import json
import math
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LONG_ENOUGH = 0.2  # seconds that one measurement lasts at least, by repetition


def pin(core: int | None = None) -> None:
    """Keep this process, and what it starts, on one core: the highest it may use by default."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0)) if core is None else core})


def once(work: Callable[[], object]) -> float:
    """Processor seconds for one run: what else the machine does counts little."""
    start = time.process_time()
    work()
    return time.process_time() - start


def steady(work: Callable[[], object], atleast: float = LONG_ENOUGH) -> float:
    """Seconds for one run, averaged over as many as fill `atleast` seconds."""
    first = once(work)
    if first >= atleast:
        return first
    loops = math.ceil(atleast / max(first, 1e-6))
    return once(lambda: [work() for _ in range(loops)]) / loops


def summary(seconds: list[float]) -> dict[str, Any]:
    """Best, median and spread, in seconds."""
    middle = statistics.median(seconds)
    return {
        "best_s": significant(min(seconds)),
        "median_s": significant(middle),
        "spread": round((max(seconds) - min(seconds)) / middle, 3),
        "runs": len(seconds),
    }


def significant(value: float, digits: int = 4) -> float:
    """A number without digits that mean nothing."""
    return float(f"{value:.{digits}g}")


def machine() -> dict[str, Any]:
    """What a reader needs to compare: no host name, no user, no path."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def cpu_model() -> str:
    """The processor by its own name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((at.split(":", 1)[1].strip() for at in lines if at.startswith("model name")), "?")


def versions(*packages: str) -> dict[str, str]:
    """Installed versions; what is absent is left out."""
    known: dict[str, str] = {}
    for package in packages:
        try:
            known[package] = version(package)
        except PackageNotFoundError:
            continue
    return known


def scrubjay_facts() -> dict[str, Any]:
    """Which Scrubjay is measured."""
    import scrubjay
    from scrubjay.detectors import patterns, scan

    return {
        "scrubjay": scrubjay.__version__,
        "patterns": len(patterns.catalogue()),
        "scan": scan.engine_name(),
        **versions("google-re2", "phonenumbers", "python-stdnum"),
    }


def write(path: Path | None, result: dict[str, Any]) -> None:
    """The result as JSON, if a path was given."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"written: {path}", file=sys.stderr)


def between(page: Path, name: str, lines: Iterable[str]) -> None:
    """Put lines between a page's marks `<!-- name -->` and `<!-- end -->`."""
    told = "\n".join((f"<!-- {name} -->", *lines, "<!-- end -->"))
    pattern = rf"<!-- {name} -->.*?<!-- end -->"
    text, count = re.subn(pattern, lambda _: told, page.read_text("utf-8"), flags=re.DOTALL)
    if not count:
        raise SystemExit(f"{page.name}: no marks for {name}")
    page.write_text(text, "utf-8")


def records(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file, gzipped or not."""
    zipped = path.suffix == ".gz"
    with gzip.open(path, "rt", encoding="utf-8") if zipped else path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def table(rows: Iterable[Iterable[object]]) -> None:
    """Aligned columns; the first row is the head."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        first, *rest = (
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join((first, *rest)).rstrip())
