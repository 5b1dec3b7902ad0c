"""Every extension point there is. Third parties register under the entry-point groups
`scrubjay.detectors`, `scrubjay.operators` and `scrubjay.formats` (name = versioned name, such as
`badge.v1`) and test themselves with `scrubjay.testing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, runtime_checkable

from scrubjay.types import Document, Finding

if TYPE_CHECKING:
    from scrubjay.formats.work import Part, Work


class Detector(Protocol):
    """Finds places. `name` carries a version: `patterns.v1`."""

    name: str

    def detect(self, documents: Sequence[Document]) -> list[list[Finding]]:
        """One list per document, in order. If any part of a text was not looked at, raise
        `DetectorError`: a partial answer is a leak."""


@runtime_checkable
class Prepared(Protocol):
    """A detector that loads late, and can be told to load now."""

    def ready(self) -> None:
        """Load all that a text may need; raise what a text would raise."""


@runtime_checkable
class Informed(Protocol):
    """A detector that takes fewer pains over what is settled without it."""

    def detect_beside(
        self, documents: Sequence[Document], settled: Sequence[Sequence[Finding]]
    ) -> list[list[Finding]]:
        """As `Detector.detect`. `settled` has, of each document, what detectors before it found and
        the policy takes out whole."""


class Operator(Protocol):
    """Replaces values. Entry points name a factory, `make(**options) -> Operator`."""

    def __call__(self, value: str, finding: Finding, scene: Any) -> str:
        """The substitute. `scene` is `operators.Scene`: the document, its key, run memory. Raise
        `OperatorError` where it cannot be done; never return the value for want of an idea."""


class Format(Protocol):
    """One kind of file. `suffixes` are lower case, with the dot."""

    name: str
    suffixes: tuple[str, ...]

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """Write the file again with `work.clean` of every text in it, and `work.file` of every file
        in it. What is left out is told: `work.dropped`. Texts stream: hold few. Raise `InputError`,
        with the place, for what is not valid."""


class Splits(Format, Protocol):
    """A format whose files can be cut, so that all cores work on one."""

    def parts(self, source: BinaryIO, size: int) -> Iterator[Part]:
        """Runs of whole records of about `size` bytes, in order, without a look at their texts."""

    def convert_part(self, part: Part, target: BinaryIO, work: Work) -> None:
        """Write one part, anywhere, in any order. What all parts give, joined in order, is what
        `convert` gives of the whole; places in errors and documents are those of the whole."""


def registered(group: str, name: str) -> Callable[..., Any] | None:
    """The third-party entry `name` of `scrubjay.<group>`, imported only now."""
    entry = _entries(group).get(name)
    return entry.load() if entry else None


def every(group: str) -> dict[str, Callable[..., Any]]:
    """All third-party entries of `scrubjay.<group>` by name."""
    return {name: entry.load() for name, entry in _entries(group).items()}


@cache
def _entries(group: str) -> dict[str, Any]:
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=f"scrubjay.{group}")}
