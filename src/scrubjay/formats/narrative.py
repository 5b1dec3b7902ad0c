"""The human part of clinical documents, XHTML and CDA tables: read as one text, so that a name over
two cells is one; tags stay, attributes that are no layout go.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from scrubjay.formats import clinical
from scrubjay.formats.clinical import Record
from scrubjay.formats.pieces import Pieces
from scrubjay.formats.subjects import Person
from scrubjay.formats.xmltree import Node
from scrubjay.types import Anonymized

_INLINE = """a abbr acronym b big cite code content dfn em font footnoteRef i kbd linkHtml q s samp
    small span strike strong sub sup tt u var"""
_BLOCK = """address blockquote br caption center col colgroup dd div dl dt footnote h1 h2 h3 h4 h5
    h6 hr item li list ol p paragraph pre renderMultiMedia table tbody td text tfoot th thead tr
    ul"""
_KEPT = """align axis border cellpadding cellspacing char charoff clear cols colspan frame headers
    height listType nowrap revised rowspan rules scope span start styleCode type valign width"""
INLINE = frozenset(_INLINE.split())
BLOCK = frozenset(_BLOCK.split())
KEPT = frozenset(_KEPT.split())
LAYOUT = re.compile(r"[A-Za-z0-9%._ -]{1,40}")
DAY = re.compile(r"\s*((?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))\s*", re.ASCII)
NAMES = frozenset({"ID", "id", "name", "IDREF", "href", "referencedObject"})
Names = Callable[[str, Callable[[str], None]], None]


def ask(
    root: Node, record: Record, person: Person, dropped: Callable[[str], None], names: Names
) -> None:
    """Have all text below cleaned in place. `names` is asked about anchors: it tells the new."""
    _tidy(root, dropped, names)
    places: list[tuple[Node, int]] = []
    texts: list[str] = []
    breaks: list[str] = []
    _gather(root, places, texts, breaks)
    pieces = Pieces(texts, breaks)

    def told(result: Anonymized) -> None:
        changed = pieces.changed(result)
        for (node, index), old, new in zip(places, texts, changed, strict=True):
            if new != old:
                node.content[index] = new

    record.ask(pieces.text, told, field="narrative", person=person)
    for (node, index), text in zip(places, texts, strict=True):
        if found := DAY.fullmatch(text):
            _day((node, index), found[1], record, person)


def _day(place: tuple[Node, int], day: str, record: Record, person: Person) -> None:
    """A cell that is a day as entries write it, 20240229: its column says so, too far away."""
    node, index = place
    question = clinical.spelled(day)

    def told(result: Anonymized) -> None:
        if result.text != question and str(node.content[index]).strip() == day:
            node.content[index] = clinical.compact(result.text, day) or result.text

    record.ask(question, told, field="date", label="DATE", person=person.undated)


def _gather(
    node: Node, places: list[tuple[Node, int]], texts: list[str], breaks: list[str]
) -> None:
    for index, inner in enumerate(node.content):
        if isinstance(inner, str):
            places.append((node, index))
            texts.append(inner)
            breaks.append("")
            continue
        apart = inner.name not in INLINE
        if breaks and apart:
            breaks[-1] = breaks[-1] or "\n"
        _gather(inner, places, texts, breaks)
        if breaks and apart:
            breaks[-1] = ": " if inner.name == "th" else breaks[-1] or "\n"


def _tidy(root: Node, dropped: Callable[[str], None], names: Names) -> None:
    """Only tags and attributes that are known."""
    for node in root.every():
        keep = [n for n in node.content if isinstance(n, str) or n.name not in ("img", "script")]
        if len(keep) < len(node.content):
            dropped("image or script of a narrative")
            node.content = keep
        if node is not root and node.name not in INLINE | BLOCK:
            node.tag = "span"
            dropped("unknown tag of a narrative")
        for name, value in list(node.attributes.items()):
            _attribute(node, name, value, dropped, names)


def _attribute(
    node: Node, name: str, value: str, dropped: Callable[[str], None], names: Names
) -> None:
    if name.startswith("xmlns") and value in XMLNS:
        return
    if name in KEPT and LAYOUT.fullmatch(value):
        names(value, lambda new: _set(node, name, value, new))
    elif name in NAMES and (name != "href" or value.startswith("#")):
        anchor = value.removeprefix("#")
        names(anchor, lambda new: _set(node, name, anchor, new))
    elif name in ("xml:lang", "lang") and re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z]{2})?", value):
        return
    else:
        del node.attributes[name]
        if name not in ("class", "style", "title"):
            dropped("attribute of a narrative")
        else:
            dropped(f"{name} of a narrative")


def _set(node: Node, name: str, old: str, new: str) -> None:
    node.attributes[name] = node.attributes[name].replace(old, new) if old else new


XMLNS = frozenset(
    {
        "http://www.w3.org/1999/xhtml", "urn:hl7-org:v3", "urn:hl7-org:sdtc", "urn:hl7-org:v2",
        "http://www.w3.org/2001/XMLSchema-instance", "http://hl7.org/fhir", "urn:ihe:pharm",
        "http://www.w3.org/2001/XMLSchema", "urn:hl7-org:v3/voc",
    }
)  # fmt: skip
