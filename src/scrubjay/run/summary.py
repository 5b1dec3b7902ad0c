"""What a run did, as one value: for the report, its page, and the last line on the terminal. No
text, and no name that was not cleaned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct, field

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
    kinds: dict[str, _Kind] = {}
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
        _add(labels, done.counts)
        _add(_folder(folders, target), done.counts)
        kinds.setdefault(done.kind, _Kind()).add(read, done)
        words += done.look.words
        _add(found, done.look.found)
    return Summary(
        format=FORMAT, scrubjay=scrubjay.__version__, files=files, bytes=size, written=written,
        labels=dict(labels.most_common()), kinds={name: k.told() for name, k in kinds.items()},
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
    if name not in folders:
        folders[name] = Counter()
    return folders[name]


def _add(sums: Counter[str], counts: dict[str, int]) -> None:
    """`Counter.update` takes ten times as long for so few."""
    for name, count in counts.items():
        sums[name] += count


class _Kind(Struct):
    """A `Kind` that grows."""

    files: int = 0
    bytes: int = 0
    seconds: float = 0.0
    dropped: Counter[str] = field(default_factory=Counter)

    def add(self, read: int, done: Done) -> None:
        """One more file."""
        self.files += 1
        self.bytes += read
        self.seconds += done.seconds
        _add(self.dropped, done.dropped)

    def told(self) -> Kind:
        """As it is now."""
        return Kind(self.files, self.bytes, self.seconds, dict(self.dropped))


def _rate(found: int, words: int) -> tuple[float, float, float] | None:
    """Places that a second look found in 10,000 words, with a 95 % interval (Clopper-Pearson)."""
    if not words:
        return None
    low, high = bounds(min(found, words), words)
    return round(1e4 * found / words, 2), round(1e4 * low, 2), round(1e4 * high, 2)
