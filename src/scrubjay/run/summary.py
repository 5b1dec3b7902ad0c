"""What a run did, as one value: for the report, its page, and the last line on the terminal. No
text, and no name that was not cleaned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

import scrubjay
from scrubjay.bound import bounds
from scrubjay.run.worker import Done, Look

FORMAT = 1
FOLDERS = 100  # that are told apart; what is in others is told together
LISTED = 10_000  # files in quarantine that the report names
OTHERS = "(other folders)"


class Kind(Struct, frozen=True):
    """Files of one kind: how many, their bytes, and the seconds that they took."""

    files: int = 0
    bytes: int = 0
    seconds: float = 0.0
    dropped: dict[str, int] = {}


class Left(Struct, frozen=True):
    """A file that was not anonymized, by its clean name, and why."""

    file: str
    why: str


class Summary(Struct, frozen=True):
    """Of all files that are in the output folder, or should be. `seconds`: of this run's clock;
    `now`: files that this run did; `gone`: outputs of what was not among its inputs."""

    format: int
    created: str
    scrubjay: str
    policy: str
    policy_digest: str
    profile: str
    models: dict[str, str]
    jobs: int
    seconds: float
    now: int
    gone: int
    files: int
    bytes: int
    written: int
    labels: dict[str, int]
    kinds: dict[str, Kind]
    folders: dict[str, dict[str, int]]
    quarantine: tuple[Left, ...]
    quarantined: int
    look: Look
    left_per_10000: tuple[float, float, float] | None


def summary(rows: Iterable[tuple[str, int, Done]], **about: object) -> Summary:
    """Of every file that a run dealt with: its output's path, its size, what became of it."""
    labels: Counter[str] = Counter()
    folders: dict[str, Counter[str]] = {}
    kinds: dict[str, Kind] = {}
    left: list[Left] = []
    found: Counter[str] = Counter()
    words = files = size = written = quarantined = 0
    for target, read, done in rows:
        if done.problem:
            quarantined += 1
            if len(left) < LISTED:
                left.append(Left(target, done.problem))
            continue
        files, size, written = files + 1, size + read, written + done.written
        labels.update(done.counts)
        _folder(folders, target).update(done.counts)
        kinds[done.kind] = _more(kinds.get(done.kind, Kind()), read, done)
        words += done.look.words
        found.update(done.look.found)
    return Summary(
        format=FORMAT, scrubjay=scrubjay.__version__, files=files, bytes=size, written=written,
        labels=dict(labels.most_common()), kinds=kinds,
        folders={name: dict(counts.most_common()) for name, counts in folders.items()},
        quarantine=tuple(left), quarantined=quarantined, look=Look(words, dict(found)),
        left_per_10000=_rate(found.total(), words), **about,  # type: ignore[arg-type]
    )  # fmt: skip


def _folder(folders: dict[str, Counter[str]], target: str) -> Counter[str]:
    """By the first folder of a path."""
    name, within, _ = target.partition("/")
    name = name if within else "."
    if name not in folders and len(folders) >= FOLDERS:
        name = OTHERS
    return folders.setdefault(name, Counter())


def _more(kind: Kind, read: int, done: Done) -> Kind:
    dropped = Counter(kind.dropped) + Counter(done.dropped)
    return Kind(kind.files + 1, kind.bytes + read, kind.seconds + done.seconds, dict(dropped))


def _rate(found: int, words: int) -> tuple[float, float, float] | None:
    """Places that a second look found in 10,000 words, with a 95 % interval (Clopper-Pearson)."""
    if not words:
        return None
    low, high = bounds(min(found, words), words)
    return round(1e4 * found / words, 2), round(1e4 * low, 2), round(1e4 * high, 2)
