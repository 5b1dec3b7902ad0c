"""A tagger on disk: one folder that says all about itself (docs/spec/bundle.md).

    bundle.json     format, kind, classes, calibration, golden answers, origin, SHA-256 of the rest
    model.onnx      the net, or another of NETS
    weights.bin     its largest tables, which processes share (may be absent)
    vocabulary.txt  its word pieces, one a line
    lexicon.bin     hints for words

A pair is a folder with bundle.json alone: it names two bundles beside it, and of what the first
leaves in doubt the second is asked.

A file that is not what bundle.json says is refused, and so is a net whose answers to the golden
sentences are not the golden ones on this CPU. BUN-n are the clauses of that page.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from scrubjay.errors import BundleError, UsageError
from scrubjay.model.tags import CLASSES

T = TypeVar("T")
FORMAT = 1
FILES = ("vocabulary.txt", "lexicon.bin")  # the same in a pair: a text is cut once for both
NETS = ("model.onnx", "model.tflite", "model.safetensors")  # one of them
PROFILES = ("fast", "balanced", "accurate")
ALONE = "encoder"  # the second net of the pairs that ship, for a look that owes the first nothing
FARTHEST = 4096  # units of margin


class Golden(Struct, frozen=True):
    """A sentence, and what the net must say of it: [start, end, class]."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


class Calibration(Struct, frozen=True):
    """How scores are to be read. `thresholds`: by wanted recall, see docs/spec/bundle.md."""

    temperature: float = 1.0
    threshold: float = 0.5
    thresholds: dict[str, float] = msgspec.field(default_factory=dict)
    documents: int = 0  # that it was measured on


class Bundle(Struct, frozen=True):
    """bundle.json."""

    format: int
    name: str
    version: str
    kind: Literal["conv", "encoder"]
    classes: tuple[str, ...]
    window: int  # units that the net sees at once
    margin: int  # of them, at each end, for context only
    calibration: Calibration
    golden: tuple[Golden, ...]
    sha256: dict[str, str]
    origin: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def net(self) -> str:
        """The file of its net."""
        return next(name for name in NETS if name in self.sha256)

    @property
    def batches(self) -> bool:
        """Whether its net takes several texts at once (BUN-16)."""
        return self.net == "model.onnx"


class Doubt(Struct, frozen=True):
    """What the second of a pair is asked: units that are part of an identifier with a probability
    from `low` to `high`, says the first. It sees `margin` units around them, and has a say in the
    nearer half of these."""

    low: float
    high: float
    margin: int


class Pair(Struct, frozen=True):
    """bundle.json of two bundles."""

    format: int
    name: str
    version: str
    kind: Literal["pair"]
    nets: tuple[str, str]  # names of folders beside this one
    doubt: Doubt
    calibration: Calibration
    sha256: dict[str, str]  # by net, of its bundle.json
    origin: dict[str, Any] = msgspec.field(default_factory=dict)


@cache
def folder(profile: str) -> Path:
    """Where the bundle of a profile lies; a path to another bundle is a profile too."""
    if profile in (*PROFILES, ALONE):
        return Path(str(files("scrubjay.model").joinpath("bundles", profile)))
    if Path(profile, "bundle.json").is_file():
        return Path(profile).resolve()
    known = ", ".join(PROFILES)
    raise UsageError(
        f"unknown profile '{profile}'; known: {known}, a bundle's folder, or patterns for none"
    )


class _Head(Struct):
    """What every format says of itself."""

    format: int
    kind: Any = ""


def read(path: Path, digest: str = "") -> Bundle:
    """The bundle in a folder, every file checked; its bundle.json, too, if `digest` is known."""
    bundle = _decode(path, Bundle, digest)
    if problem := next(_problems(bundle), ""):
        raise BundleError(f"{path}: bundle.json: {problem}")
    for name, digest in bundle.sha256.items():
        if not _plain(name):  # BUN-5
            raise BundleError(f"{path}: bundle.json names a file outside the bundle")
        if sha256(path / name) != digest:
            raise BundleError(f"{path}: {name} is not the file that bundle.json describes")
    return bundle


def read_pair(path: Path) -> Pair:
    """The pair in a folder. What its bundles say of themselves is checked, their files are not."""
    pair = _decode(path, Pair)
    if problem := next(_pair_problems(pair), ""):
        raise BundleError(f"{path}: bundle.json: {problem}")
    first, second = (
        _decode(folder, Bundle, pair.sha256[folder.name]) for folder in nets(path, pair)
    )
    if any(first.sha256.get(file) != second.sha256.get(file) for file in FILES):  # BUN-52
        raise BundleError(f"{path}: its bundles differ in {' or '.join(FILES)}")
    return pair


def nets(path: Path, pair: Pair) -> list[Path]:
    """The folders of a pair's bundles."""
    return [path.resolve().parent / name for name in pair.nets]


def is_pair(path: Path) -> bool:
    """Whether a folder is one of two bundles."""
    return bool(_head(_raw(path), path).kind == "pair")


def files_of(path: Path) -> list[Path]:
    """All that tagging with a folder's bundle or pair reads."""
    if is_pair(path):
        both = nets(path, read_pair(path))
        return [path / "bundle.json", *(file for folder in both for file in files_of(folder))]
    return [path / "bundle.json", *(path / name for name in read(path).sha256)]


def _decode(path: Path, kind: type[T], digest: str = "") -> T:
    """bundle.json; its format first, because another one may look otherwise (BUN-3)."""
    raw = _raw(path)
    if digest and hashlib.sha256(raw).hexdigest() != digest:  # BUN-50
        raise BundleError(
            f"{path}: not the bundle that the pair beside it was made of; make it anew"
        )
    number, found = msgspec.structs.astuple(_head(raw, path))
    if number != FORMAT:
        raise BundleError(f"{path}: bundle format {number}; this version reads {FORMAT}")
    if found == "pair" and kind is Bundle:
        raise BundleError(f"{path}: a pair; name one of its bundles")
    try:
        return msgspec.json.decode(raw, type=kind)
    except ValueError as problem:  # not these fields
        raise BundleError(f"{path}: bundle.json: {problem}") from None


def _raw(path: Path) -> bytes:
    try:
        return path.joinpath("bundle.json").read_bytes()
    except OSError as problem:
        raise BundleError(f"{path}: bundle.json: {problem.strerror}") from None


def _head(raw: bytes, path: Path) -> _Head:
    try:
        return msgspec.json.decode(raw, type=_Head)
    except ValueError as problem:  # not JSON, not UTF-8
        raise BundleError(f"{path}: bundle.json: {problem}") from None


def _problems(bundle: Bundle) -> Iterator[str]:
    """What is wrong, if anything."""
    if bundle.classes != CLASSES:  # BUN-7
        yield "its classes are not those of this version"
    if not 0 <= 2 * bundle.margin < bundle.window:  # BUN-8
        yield f"a margin of {bundle.margin} units leaves nothing of a window of {bundle.window}"
    yield from _wrong(bundle.calibration)
    if missing := [name for name in FILES if name not in bundle.sha256]:  # BUN-4
        yield f"no sha256 for {', '.join(missing)}"
    if len(nets := [name for name in NETS if name in bundle.sha256]) != 1:  # BUN-1
        yield f"it has {' and '.join(nets) or 'no net'}; one of {', '.join(NETS)} is wanted"


def _pair_problems(pair: Pair) -> Iterator[str]:
    """What is wrong, if anything."""
    low, high, margin = pair.doubt.low, pair.doubt.high, pair.doubt.margin
    if not 0 < low <= high <= 1 or not 0 <= margin <= FARTHEST:  # BUN-51
        yield "its doubt is no range of probabilities with a margin"
    if not all(_plain(name) and name in pair.sha256 for name in pair.nets):  # BUN-50
        yield "its nets are not two folders beside it with their sha256"
    if pair.calibration.temperature != 1:  # BUN-55
        yield "a pair has no temperature"
    yield from _wrong(pair.calibration)


def _plain(name: str) -> bool:
    """Whether a name stays in its folder."""
    return Path(name).name == name and name not in {"", ".."} and "\0" not in name


def _wrong(calibration: Calibration) -> Iterator[str]:
    if not 0 < calibration.temperature < math.inf:  # BUN-9
        yield "its temperature is not above 0"
    thresholds = (calibration.threshold, *calibration.thresholds.values())
    if not all(0 < threshold < 1 for threshold in thresholds):
        yield "a threshold is not between 0 and 1"


def sha256(path: Path) -> str:
    """A file's digest."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        raise BundleError(f"{path}: {problem.strerror}") from None


def write(folder: Path, bundle: Bundle | Pair) -> None:
    """Put bundle.json into its folder, whole."""
    new = folder / "bundle.json.new"
    new.write_bytes(msgspec.json.format(msgspec.json.encode(bundle), indent=1) + b"\n")
    new.replace(folder / "bundle.json")
