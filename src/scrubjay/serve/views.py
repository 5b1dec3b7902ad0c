"""`POST /v1/views`: what a file looks like, for who sends it: pages as pictures, tables as rows,
other things as text. It is drawn where files are read, and nothing stays.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, runtime_checkable

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from scrubjay import formats, processes
from scrubjay.errors import RefusedError, UsageError
from scrubjay.formats.work import Work
from scrubjay.report import unchanged
from scrubjay.run.folder import SECONDS
from scrubjay.run.sample import texts
from scrubjay.run.worker import MEMORY
from scrubjay.serve import spool
from scrubjay.serve.asked import caller, query, shown, unless_gone
from scrubjay.serve.back import errand
from scrubjay.serve.call import BYTES, Call, Content
from scrubjay.serve.engines import Engines
from scrubjay.types import Anonymized, Document

if TYPE_CHECKING:
    from PIL import Image

    from scrubjay.formats.columns import Table

PAGES, TABLES, ROWS, CELL, TEXT = 10, 10, 50, 200, 20_000  # at most; characters of cell and text
WIDE = 1000  # pixels of a page


def calls() -> list[Call]:
    """What there is."""
    return [
        Call("POST", "/v1/views", _views, "What a file looks like: pages, tables or text.",
             takes=Content(media=BYTES), gives=Content(View), query=Named,
             fails=(UsageError, RefusedError)),
    ]  # fmt: skip


class Named(Struct, frozen=True):
    """What is said of a file beside it. `format`: where the name does not tell it."""

    name: str = ""
    format: str = ""


class Rows(Struct, frozen=True):
    """The first rows of a table. Without `names` it has none."""

    names: list[str]
    rows: list[list[str]]

    def __repr__(self) -> str:
        return f"Rows({len(self.names)} columns)"


class View(Struct, frozen=True):
    """What is seen first of a file: pages as PNG, or tables, or text."""

    pages: list[bytes] = []
    tables: list[Rows] = []
    text: str = ""

    def __repr__(self) -> str:
        return f"View({len(self.pages)} pages, {len(self.tables)} tables)"


class Sent(NamedTuple):
    """A file that was sent: its name, its format where that was said, and where it lies."""

    name: str
    format: str
    path: Path

    def __repr__(self) -> str:
        return f"Sent(format={self.format!r})"


@runtime_checkable
class Paged(Protocol):
    """A format of pages."""

    def pages(self, source: BinaryIO, work: Work) -> Iterator[Image.Image]:
        """All in a file, as they are seen. What is damaged is an `InputError`."""


@runtime_checkable
class Tabled(Protocol):
    """A format of tables."""

    def tables(self, source: BinaryIO, work: Work) -> Iterator[Table]:
        """All in a file. What is damaged is an `InputError`."""


async def _views(request: Request) -> Response:
    who, told = await caller(request), query(request, Named)
    kind = formats.named(told.format) if told.format else ""
    name = PurePosixPath(told.name.replace("\\", "/")).name or "file"
    await errand(request, lambda trust: trust.require_of(who, "anonymize.run"))
    back = request.app.state.all.back
    back.readers.check()
    with back.spool.file() as path:
        await spool.kept(request.stream(), path, back.settings.largest)
        work = back.readers.ask(partial(_view, Sent(name, kind, path)), SECONDS)
        return shown(await unless_gone(request, work))


def _view(sent: Sent, _: Engines) -> View:
    """In a reader."""
    processes.bound(MEMORY)
    with sent.path.open("rb") as source:
        kind = sent.format or formats.of(PurePosixPath(sent.name), source)
        form, work = formats.make(kind), Work(_looked)
        if isinstance(form, Paged):
            return View(pages=[_png(page) for page in islice(form.pages(source, work), PAGES)])
        if isinstance(form, Tabled):
            return View(tables=[_rows(one) for one in islice(form.tables(source, work), TABLES)])
        from scrubjay.formats.officetext import APART  # loads what only files of text need

        text = "\n".join(texts(source, kind, "utf-8"))
        return View(text=text.replace(APART, "\n\n").strip()[:TEXT])


def _looked(documents: Iterable[Document]) -> Iterator[Anonymized]:
    return map(unchanged, documents)


def _png(page: Image.Image) -> bytes:
    """Of the width of a page on a screen: what is larger is drawn smaller."""
    page.thumbnail((WIDE, 4 * WIDE))
    target = io.BytesIO()
    page.save(target, "PNG")
    return target.getvalue()


def _rows(table: Table) -> Rows:
    rows = islice(table.rows(range(len(table.names))), ROWS)
    return Rows(table.names, [[(cell or "")[:CELL] for cell in row] for row in rows])
