"""Mutates files of a format until a reader breaks its promise, or the time is over.

    python fuzz/fuzz.py FORMAT [--seconds N] [--seed S] [--grow]

The promise: an `InputError` or a whole output, in bounded time and memory, without any of `PLANTS`
in it. Files are drawn from `fuzz/corpus/FORMAT`, and those that reach a line that none reached
before are drawn from, too; `--grow` keeps them. A file that breaks the promise is kept as
`found-...`: mend the reader, and keep the file. `tests/test_fuzz.py` reads all of them.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import random
import re
import resource
import signal
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from scrubjay import formats, policies
from scrubjay.engine import Engine
from scrubjay.errors import InputError
from scrubjay.formats import ocr
from scrubjay.formats.work import Work
from scrubjay.types import Finding

CORPUS = Path(__file__).parent / "corpus"
READERS = os.fspath(Path(formats.__file__).parent)
PLANTS = ("Quackenbush", "Gonzalez", "536-90-4399")  # of one word: two may come from two places
FOUND = re.compile(r"(?i)quackenbush|zebulon|maria|gonzalez|ann\s*lee|536-90-4399")
SECONDS, MEMORY = 20.0, 3 << 30  # for one file; small ones, on a machine that does more
LARGEST = 4096  # bytes of a file that is kept
NUMBERS = (b"\0", b"\xff", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x80\0\0\0")
TOKENS = re.compile(rb"\w+|[^\w\s]|\s+")


class Plants:
    """Finds what was planted, wherever it stands, in words or not."""

    name = "plants.v1"

    def detect(self, documents: Any) -> list[list[Finding]]:
        return [
            [
                Finding(found.start(), found.end(), "PERSON", 1.0, self.name)
                for found in FOUND.finditer(document.text)
            ]
            for document in documents
        ]


ENGINE = Engine(policies.load("everything"), [Plants()])


class Broken(Exception):
    """The promise is, and how. It is no error of ours, so no reader takes it for one."""


def check(kind: str, data: bytes) -> None:
    """One file through the reader of its kind; `Broken` says what it did."""
    sink = io.BytesIO()
    signal.signal(signal.SIGALRM, _late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        work = Work(ENGINE.stream, called=f"file{suffix(kind)}")
        formats.make(formats.named(kind)).convert(io.BytesIO(data), sink, work)
    except InputError as problem:
        left = [plant for plant in PLANTS if plant in str(problem)]
    except Broken:
        raise
    except Exception as problem:
        raise Broken(f"{type(problem).__name__} at {_place(problem)}") from problem
    else:
        left = [plant for plant in PLANTS if _holds(sink.getvalue(), plant)]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if left:
        raise Broken(f"{left} left")


def suffix(kind: str) -> str:
    """Of a file of this kind."""
    every = (k.suffixes for k in formats.kinds.KINDS if k.name == f"{kind}.v1")
    return next((suffix for suffixes in every for suffix in suffixes), "")


def _late(number: int, frame: FrameType | None) -> None:
    raise Broken(f"more than {SECONDS:.0f} s")


def _place(problem: BaseException) -> str:
    trace, told = problem.__traceback__, ""
    while trace:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith(READERS):
            told = f"{file.removeprefix(READERS)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return told


def _holds(data: bytes, plant: str) -> bool:
    if any(plant.encode(encoding) in data for encoding in ("utf-8", "utf-16-le", "utf-16-be")):
        return True
    if data[:4] != b"PK\3\4":
        return False
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return any(_holds(packed.read(name), plant) for name in packed.namelist())


def changed(data: bytes, others: list[bytes], dice: random.Random) -> bytes:
    """Another file; of a zip, most often in a member, since its sums refuse all else."""
    if data[:4] == b"PK\3\4" and dice.random() < 0.9:
        try:
            return _repacked(data, others, dice)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
            pass
    for _ in range(dice.choice((1, 1, 2, 4, 8))):
        data = _once(data, dice.choice(others), dice)
    return data


def _repacked(data: bytes, others: list[bytes], dice: random.Random) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(sink, "w", 8) as new:
        names = old.namelist()
        which = dice.choice(names)
        members = [old.read(name) for name in names]
        for name, member in zip(names, members, strict=True):
            new.writestr(name, changed(member, members, dice) if name == which else member)
    return sink.getvalue()


def _once(data: bytes, other: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    end = min(len(data), at + dice.choice((0, 1, 2, 4, 16, 64)))
    from_ = dice.randrange(len(other) + 1)
    new = dice.choice((
        lambda: bytes([dice.randrange(256)]),
        lambda: b"",
        lambda: data[at:end] * 2,
        lambda: dice.choice(NUMBERS),
        lambda: dice.choice(TOKENS.findall(other) or [b""]) + data[at:end],
        lambda: other[from_ : from_ + dice.choice((4, 16, 64, 256))],
        lambda: data[at:end] * dice.choice((3, 50)),
        lambda: b"Quackenbush",
    ))()  # fmt: skip
    told = data[:at] + new + data[end:]
    return told[: dice.randrange(len(told) + 1)] if dice.random() < 0.05 else told


class Lines:
    """Which lines of the readers were reached."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, int]] = set()

    def fresh(self, kind: str, data: bytes) -> bool:
        """Check a file; whether it reached a line that none did before."""
        before = len(self.seen)
        sys.settrace(self._called)
        try:
            check(kind, data)
        finally:
            sys.settrace(None)
        return len(self.seen) > before

    def _called(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._line if frame.f_code.co_filename.startswith(READERS) else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        self.seen.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line


def kept(kind: str, data: bytes, why: str) -> Path:
    """In the corpus, under a name of its own."""
    path = CORPUS / kind / f"{why}-{hashlib.sha256(data).hexdigest()[:8]}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def fuzz(kind: str, dice: random.Random, until: float, last: Path, *, grow: bool) -> Iterator[str]:
    """What was found. `last` holds the file that is being read, for who finds us dead."""
    pool = [path.read_bytes() for path in sorted((CORPUS / kind).iterdir())]
    lines, told, count = Lines(), set(), 0
    queue = list(pool)
    while time.monotonic() < until:
        data = queue.pop() if queue else changed(dice.choice(pool), pool, dice)
        last.write_bytes(data)
        count += 1
        try:
            fresh = lines.fresh(kind, data)
        except Broken as problem:
            if str(problem) not in told:  # one file for each
                told.add(str(problem))
                yield f"{problem}: {kept(kind, data, 'found')}"
            continue
        if fresh and count > len(pool) and len(data) <= LARGEST:
            pool.append(data)
            if grow:
                kept(kind, data, "line")
    yield f"{kind}: {count} files, {len(lines.seen)} lines, {len(told)} found"


def main() -> int:
    """Apart, so that a reader that kills its process is found, too."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("format", choices=sorted(path.name for path in CORPUS.iterdir()))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--grow", action="store_true", help="keep what reaches new lines")
    asked = parser.parse_args()
    ocr.read = lambda image: []  # what it reads is not what is tested, and it takes a second
    with tempfile.TemporaryDirectory() as folder:
        last = Path(folder) / "last"
        process = os.fork()
        if not process:
            resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
            until = time.monotonic() + asked.seconds
            dice = random.Random(asked.seed)
            for line in fuzz(asked.format, dice, until, last, grow=asked.grow):
                print(line, flush=True)
            os._exit(0)
        _, status = os.waitpid(process, 0)
        if status:
            print(f"it died: {kept(asked.format, last.read_bytes(), 'found')}")
    return int(bool(status))


if __name__ == "__main__":
    sys.exit(main())
