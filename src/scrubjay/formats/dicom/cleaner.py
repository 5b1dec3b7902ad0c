"""One data set's elements: which stay, which go, and which texts of them are looked at."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from itertools import chain

from msgspec import Struct
from pydicom import config
from pydicom.datadict import dictionary_has_tag, dictionary_keyword, dictionary_VR
from pydicom.uid import UID

from scrubjay.errors import InputError, OperatorError
from scrubjay.formats import clinical
from scrubjay.formats.dicom import profile, values
from scrubjay.formats.dicom.elements import Element, string, told
from scrubjay.formats.dicom.values import Piece
from scrubjay.formats.fhir_codes import is_code
from scrubjay.formats.subjects import Person
from scrubjay.formats.work import Work
from scrubjay.types import Document

CHARSET, INSIDE = 0x00080005, 0x00420011
CODE, SCHEME, EDITION = 0x00080100, 0x00080102, 0x00080103
EDITIONS = re.compile(r"[0-9]{8}|[0-9]{1,2}(?:\.[0-9]{1,3}){0,2}")
SYSTEMS = {  # PS3.16 8
    "LN": "http://loinc.org", "SCT": "http://snomed.info/sct", "UCUM": "http://unitsofmeasure.org"
}  # fmt: skip
OURS = frozenset((0x00120062, 0x00120063, 0x00120064, 0x00280303))  # written anew
OFFSETS = (0x7FE00001, 0x7FE00002)  # of frames, in an optional table: the basic one says the same
BULK = frozenset(  # bytes that are samples: pixels, tables of colours, waves; or a clean document
    (INSIDE, 0x7FE00008, 0x7FE00009, 0x7FE00010, 0x00281201, 0x00281202)
) | {
    0x00281203, 0x00281204, 0x00281221, 0x00281222, 0x00281223, 0x00281224, 0x00283006, 0x54000110,
    0x54000112, 0x5400100A, 0x54001010, 0x56000020, 0x00660023, 0x00660024, 0x00660025, 0x00660029,
}  # fmt: skip
LABEL_ONLY = re.compile(r"\[[A-Z_]+(?: [0-9]+)?\]")


class Job(Struct):
    """What is to be done with an element: how its value is read, the profile's action, its name,
    and the pieces that the value is made anew from."""

    element: Element
    vr: str
    action: str = ""
    keyword: str = ""
    pieces: list[Piece] = []

    def __repr__(self) -> str:
        return f"Job({self.element!r})"


class Cleaner:
    """Plans all elements first, then lets the texts through in one stream."""

    def __init__(self, work: Work, options: profile.Options, whose: Person) -> None:
        self._work = work
        self._options = options
        self._whose = whose
        self._jobs: list[Job] = []
        self._known = frozenset(chain.from_iterable(whose.known.values()))
        self._dummies = False  # within a sequence whose items say who: texts are not looked at
        self.plain = True  # whether ASCII is enough for all that was written

    def clean(self, elements: list[Element], sets: list[str]) -> list[Element]:
        """The elements that stay, their texts clean."""
        kept = self._visit(elements, sets)
        self._run()
        return _without_removed(kept)

    def _visit(self, elements: list[Element], sets: list[str]) -> list[Element]:
        declared = next((e.value for e in elements if e.tag == CHARSET), b"")
        if isinstance(declared, bytes):
            sets = values.encodings(declared, sets)
        creators = _creators(elements, sets)
        public = self._public_code(elements)
        return [e for e in elements if e.tag in public or self._stays(e, sets, creators)]

    def _public_code(self, elements: list[Element]) -> tuple[int, ...]:
        """What of an item is a code of a public system, and nobody's number; and its edition."""
        code, system = string(elements, CODE), SYSTEMS.get(string(elements, SCHEME), "")
        if self._dummies or code in self._known or not is_code(system, code):
            return ()
        return (CODE, EDITION) if EDITIONS.fullmatch(string(elements, EDITION)) else (CODE,)

    def _stays(self, element: Element, sets: list[str], creators: dict[int, str]) -> bool:
        """Whether an element stays; its texts are noted."""
        tag = element.tag
        group = tag >> 16
        if tag == CHARSET or tag in OURS or tag & 0xFFFF == 0:
            return False
        if group % 2:
            return self._private(element, sets, creators)
        if group < 8:
            return self._gone("attribute of commands or media")
        if tag in OFFSETS:
            return self._gone("extended offset table")
        if group & 0xFF01 in (0x5000, 0x6000):
            return self._gone("overlay" if group >= 0x6000 else "curve")
        keyword, vr = _named(element)
        if not keyword:
            return self._gone("unknown attribute")
        if not vr:
            return self._gone("attribute of a wrong kind")
        return self._public(element, vr, keyword, sets)

    def _gone(self, what: str) -> bool:
        self._work.dropped(what)
        return False

    def _private(self, element: Element, sets: list[str], creators: dict[int, str]) -> bool:
        """PS3.5 7.8: the creator of block xx stands in (gggg,00xx)."""
        group, number = element.tag >> 16, element.tag & 0xFFFF
        if not self._options.private:
            return self._gone("private attribute")
        block = number if number <= 0xFF else number >> 8
        creator = creators.get(group << 16 | block, "")
        if number <= 0xFF:
            safe = any((creator, group) == known[:2] for known in self._options.private)
            return safe or self._gone("private attribute")
        safe = (creator, group, number & 0xFF) in self._options.private
        if not safe or element.vr in values.BYTES:
            return self._gone("private attribute")
        return self._kept(Job(element, element.vr), sets)

    def _public(self, element: Element, vr: str, keyword: str, sets: list[str]) -> bool:
        action = profile.action(element.tag, self._options)
        if action == "X":
            return self._gone(keyword)
        if self._dummies and not action and vr in values.TEXT:
            action = "D"
        return self._kept(Job(element, vr, action, keyword), sets)

    def _kept(self, job: Job, sets: list[str]) -> bool:
        value = job.element.value
        if isinstance(value, list):
            job.element.value = [] if job.action == "Z" else self._items(value, job.action, sets)
            return True
        if values.kind(job.vr) == "text":
            return self._text(job, sets)
        if job.vr in values.NUMBERS:
            return self._numbers(job)
        if job.vr in values.ARRAYS or job.element.tag in BULK:
            return True
        return self._gone("bytes that nothing reads")

    def _items(
        self, items: list[list[Element]], action: str, sets: list[str]
    ) -> list[list[Element]]:
        outer, self._dummies = self._dummies, self._dummies or action == "D"
        found = [self._item(item, sets) for item in items]
        self._dummies = outer
        return found

    def _item(self, item: list[Element], sets: list[str]) -> list[Element]:
        """Pixels of an item are a thumbnail, and nobody has looked at them, nor at a document."""
        rest = [e for e in item if e.tag >> 16 != 0x7FE0 and e.tag != INSIDE]
        if len(rest) < len(item):
            self._gone("thumbnail or document in an item")
        return self._visit(rest, sets)

    def _numbers(self, job: Job) -> bool:
        data = job.element.value
        if not isinstance(data, bytes) or len(data) % values.NUMBERS[job.vr]:
            raise InputError(f"{told(job.element.tag)}: no whole number of {job.vr} values")
        if job.action == "Z":
            job.element.value = b""
        elif job.action == "D":
            job.element.value = bytes(len(data))
        return True

    def _text(self, job: Job, sets: list[str]) -> bool:
        element, vr, basic = job.element, job.vr, profile.fallback(job.element.tag)
        if not isinstance(element.value, bytes):
            raise InputError(f"{told(element.tag)}: a {vr} that is too long")
        element.vr = vr if element.vr == "UN" else element.vr
        text = values.decode(element.value, element.tag, vr, sets)
        if self._passes(text, vr, job.action):
            element.value = text.encode("ascii")
            return True
        label = profile.label(job.keyword, vr)
        if label in ("DATE", "TIME") and not self._options.names & {"full", "modified"}:
            self._write(element, vr, _removed(basic, vr))
            return basic != "X"
        if not label and job.action in ("Z", "D"):
            self._write(element, vr, _removed(job.action, vr))
            return True
        element.vr = vr
        job.pieces = values.pieces(text, vr, label)
        self._jobs.append(job)
        return True

    def _passes(self, text: str, vr: str, action: str) -> bool:
        """What needs no look: nothing, numbers, defined terms, registered UIDs."""
        if not text:
            return True
        if action in ("Z", "D"):
            return False
        if vr in ("DS", "IS"):
            return values.fits(text, vr) and self._known.isdisjoint(text.split("\\"))
        if vr == "CS":
            return all(one.strip() in profile.terms() for one in text.split("\\") if one.strip())
        if vr == "UI" and "uids" in self._options.names:
            return values.fits(text, vr)
        return vr == "UI" and all(map(registered, text.split("\\")))

    def _run(self) -> None:
        """All texts, in one stream."""
        waiting: deque[Job] = deque(self._jobs)
        done: list[str] = []
        for result in self._work.clean(self._documents()):
            self._finish(waiting, done)
            done.append(result.text)
        self._finish(waiting, done)

    def _finish(self, waiting: deque[Job], done: list[str]) -> None:
        """The jobs whose texts are all there."""
        while waiting and _looked(waiting[0]) == len(done):
            job = waiting.popleft()
            texts = iter(done)
            self._fill(job, [next(texts) if piece.text else "" for piece in job.pieces])
            done.clear()

    def _documents(self) -> Iterator[Document]:
        for job in self._jobs:
            named = job.keyword.endswith("Name")  # a sequence's, a region's: people's have a label
            for piece in job.pieces:
                if piece.text:
                    yield Document(
                        piece.text, id=told(job.element.tag), group=self._whose.group,
                        field="" if named or piece.label else job.keyword,
                        label=clinical.label(piece.text, piece.label),
                        known=self._whose.known,
                    )  # fmt: skip

    def _fill(self, job: Job, texts: list[str]) -> None:
        tag, vr = job.element.tag, job.vr
        pairs = list(zip(job.pieces, texts, strict=True))
        tidy = [text if text == piece.text else values.tidy(text, vr) for piece, text in pairs]
        value = values.join(job.pieces, tidy)
        if vr == "UI" and not values.fits(value, vr):
            raise OperatorError(f"{told(tag)}: the rule for UID makes no UID; uid.v1 does")
        value = values.clipped(value, vr)
        same = all(piece.text == text for piece, text in pairs)
        if self._stands(job, value, same=same):
            self._write(job.element, vr, value)
        else:
            free = job.action in ("", "C", "K") and vr not in _MOMENTS
            self._write(job.element, vr, _removed("Z" if free else profile.fallback(tag), vr))

    def _stands(self, job: Job, value: str, *, same: bool) -> bool:
        """Whether a value can be written: it must have the shape of its kind; be another one where
        the profile asks for that; and be nobody else's number, as a bare `[MRN 1]` would."""
        if job.action in ("Z", "D") and (same or LABEL_ONLY.search(value)):
            return False
        return values.fits(value, job.vr)

    def _write(self, element: Element, vr: str, value: str | None) -> None:
        if value is None:
            element.vr = ""  # it goes
            self._work.dropped(_named(element)[0] or "private attribute")
            return
        element.vr = vr
        element.value = value.encode("utf-8" if vr in values.TEXT else "ascii", "replace")
        self.plain = self.plain and value.isascii()


_MOMENTS = ("DA", "DT", "TM")


def _removed(action: str, vr: str) -> str | None:
    return {"X": None, "D": values.dummy(vr)}.get(action, "")


def _looked(job: Job) -> int:
    return sum(1 for piece in job.pieces if piece.text)


def _without_removed(elements: list[Element]) -> list[Element]:
    for element in elements:
        if isinstance(element.value, list):
            element.value = [_without_removed(item) for item in element.value]
    return [element for element in elements if element.vr]


def _creators(elements: list[Element], sets: list[str]) -> dict[int, str]:
    """Private creators, by group and block."""
    return {
        e.tag: values.decode(e.value, e.tag, "LO", sets)
        for e in elements
        if e.tag >> 16 & 1 and 0x10 <= e.tag & 0xFFFF <= 0xFF and isinstance(e.value, bytes)
    }


def _named(element: Element) -> tuple[str, str]:
    """The keyword of a public attribute, and how its value is read; nothing for another kind of
    value than the dictionary's. Both are empty for what is not in the dictionary."""
    if not dictionary_has_tag(element.tag):
        return "", ""
    keyword = dictionary_keyword(element.tag) or f"Retired{element.tag:08X}"
    usual = dictionary_VR(element.tag).split(" or ")
    held = isinstance(element.value, tuple)
    vr = usual[-1] if element.vr == "UN" and not held else element.vr
    if isinstance(element.value, list) != (vr == "SQ"):
        return keyword, ""
    if values.kind(vr) not in {values.kind(one) for one in usual}:
        return keyword, ""
    if vr in values.ARRAYS and vr not in usual:  # bytes that nobody reads, called numbers
        return keyword, ""
    return keyword, usual[0] if values.kind(vr) == "text" else vr


def registered(uid: str) -> bool:
    """Whether it is one of the standard's own, and so nobody's. A warning would quote the value."""
    return UID(uid, config.IGNORE).name != uid
