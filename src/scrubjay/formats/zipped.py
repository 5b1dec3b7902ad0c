"""Parts of workbooks, which may be large: read as they come."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Iterator
from typing import Any

from lxml import etree

from scrubjay.errors import InputError
from scrubjay.formats.officepack import Pack, reading


def xml(pack: Pack, name: str) -> Any:
    """The root element of a part."""
    with _reading(), pack.open(name) as stream:
        return etree.parse(_Untyped(stream), parser()).getroot()


def events(pack: Pack, name: str) -> Iterator[tuple[str, Any]]:
    """What etree.iterparse tells of a part."""
    with _reading(), pack.open(name) as stream:
        yield from etree.iterparse(
            _Untyped(stream), events=("start", "end"), resolve_entities=False, no_network=True,
            load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True,
        )  # fmt: skip


def parser() -> Any:
    """Of XML that brings nothing with it."""
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip


class _Untyped:
    """A stream of XML without a document type: nothing needs one, and entities come with it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._last = b""

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._stream.read(size)
        seen = (self._last + data).replace(b"\0", b"")
        if b"<!DOCTYPE" in seen:
            raise InputError("XML with a document type: none is needed here")
        self._last = data[-20:]
        return data


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    try:
        with reading():
            yield
    except etree.XMLSyntaxError:
        raise InputError("a part that is not XML: damaged") from None


def relations(pack: Pack, part: str) -> dict[str, tuple[str, str]]:
    """By id: what kind of relation, and to which part."""
    folder, name = posixpath.split(part)
    path = posixpath.join(folder, "_rels", f"{name}.rels")
    if path not in pack:
        return {}
    found = {}
    for one in xml(pack, path):
        kind = one.get("Type", "").rpartition("/")[2]
        target = one.get("Target", "")
        whole = target[1:] if target.startswith("/") else posixpath.join(folder, target)
        if one.get("TargetMode") != "External":
            found[one.get("Id", "")] = kind, posixpath.normpath(whole)
    return found
