"""Placeholders in place of what identifies, in all strings of a request: one table for all of it,
and what was found in one string is found in every other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from itertools import chain

from msgspec import structs

from scrubjay.engine import Engine, batches
from scrubjay.formats import slots
from scrubjay.formats.work import Clean, Work
from scrubjay.recent import Recent
from scrubjay.report import unchanged
from scrubjay.serve.model.table import Table
from scrubjay.types import Anonymized, Document, Finding, Replacement

REMEMBERED = 20_000  # texts: a conversation is sent again with each of its turns
SHORTEST = 3  # characters of a value that is looked for in the other strings
ALONE = frozenset({"AGE", "DATE", "TIME"})  # "62" and "May" say nothing elsewhere
BEGINNING = 3  # signs by which a value is recognized at a glance
Values = dict[tuple[str, str], set[bytes]]  # of labels and values, digests of where they are
Signs = dict[tuple[str, str], tuple[str, list[str]]]
Known = dict[str, tuple[str, ...]]
Look = Callable[[list[Document]], Iterable[list[Finding]]]
Parts = Callable[[Work], Iterable[slots.Part]]


class Veil:
    """One engine's. It remembers places of findings by a digest of the text, and no text."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._places: Recent[bytes, list[Finding]] = Recent(REMEMBERED)

    def over(self, parts: Parts, table: Table, work: type[Work] = Work) -> tuple[str, Counter[str]]:
        """What `parts` writes, with placeholders; how many by label. It is looked at twice: once to
        know the values, once to put placeholders for them everywhere."""
        values: Values = {}
        for label, value in table.pairs():  # of turns before this one
            self._seek(label, value, b"", values)

        def written(clean: Clean) -> str:
            given = work(clean, rule=self.engine.operator, key=self.engine.key)
            return "".join(slots.filled(parts(given), clean))

        written(lambda documents: self._looked(documents, table, values))
        counts: Counter[str] = Counter()
        told = written(lambda documents: self._hidden(documents, table, values, counts))
        return told, counts

    def _looked(
        self, documents: Iterable[Document], table: Table, values: Values
    ) -> Iterator[Anonymized]:
        for batch in batches(documents):
            for document, found in zip(batch, self._found(batch), strict=True):
                table.avoid(document.text)
                for one in found:
                    self._seek(one.label, _value(document, one), _digest(document), values)
                yield _done(document, found, [])

    def _seek(self, label: str, value: str, where: bytes, values: Values) -> None:
        if len(value) >= SHORTEST and label not in ALONE and not self.engine.keeps(label):
            values.setdefault((label, value), set()).add(where)

    def _hidden(
        self, documents: Iterable[Document], table: Table, values: Values, counts: Counter[str]
    ) -> Iterator[Anonymized]:
        known, signs = _by_label(values), {one: _signs(one[1]) for one in values}
        for batch in batches(documents):
            concerning = [_elsewhere(one, values, signs) for one in batch]
            found = self._again(batch, known, concerning)
            for document, places in zip(batch, found, strict=True):
                out = [one for one in places if not self.engine.keeps(one.label)]
                counts.update(one.label for one in out)
                names = [table.placeholder(one.label, _value(document, one)) for one in out]
                yield _done(document, out, names)

    def _found(self, batch: list[Document]) -> list[list[Finding]]:
        return self._remembered(batch, list(map(_digest, batch)), self.engine.find)

    def _again(
        self, batch: list[Document], known: Known, concerning: list[list[tuple[str, str]]]
    ) -> list[list[Finding]]:
        """With what other strings tell, which is looked for again only where that has changed."""

        def look(some: list[Document]) -> Iterable[list[Finding]]:
            told = [structs.replace(one, known=_both(one.known, known)) for one in some]
            return self.engine.again(told, self._found(some))

        keys = [
            _digest(one, *chain.from_iterable(told)) if told else _digest(one)
            for one, told in zip(batch, concerning, strict=True)
        ]
        return self._remembered(batch, keys, look)

    def _remembered(
        self, batch: list[Document], keys: list[bytes], look: Look
    ) -> list[list[Finding]]:
        held = [self._places.get(key) for key in keys]
        new = [one for one, places in zip(batch, held, strict=True) if places is None]
        looked = iter(list(look(new)))
        found = [next(looked) if places is None else places for places in held]
        for key, places in zip(keys, found, strict=True):
            self._places.put(key, places)
        return found


def _done(document: Document, found: list[Finding], names: list[str]) -> Anonymized:
    """The document with these names for what was found; without names, as it is."""
    report = unchanged(document, found).report
    parts: list[str] = []
    places: list[Replacement] = []
    last = length = 0
    for one, name in zip(found, names, strict=False):
        parts += document.text[last : one.start], name
        begin = length + one.start - last
        length, last = begin + len(name), one.end
        places.append(
            Replacement(
                one.start, one.end, begin, length, one.label, one.entity, one.score, one.detector,
                "label.v1",
            )
        )  # fmt: skip
    text = "".join([*parts, document.text[last:]])
    return Anonymized(text, structs.replace(report, replacements=tuple(places)))


def _by_label(values: Values) -> Known:
    known: dict[str, list[str]] = {}
    for label, value in sorted(values):
        known.setdefault(label, []).append(value)
    return {label: tuple(held) for label, held in known.items()}


def _elsewhere(document: Document, values: Values, signs: Signs) -> list[tuple[str, str]]:
    """What others have that this text may have, too, with its label: what it has itself is found
    everywhere in it already."""
    text, own = document.text.casefold(), {_digest(document)}
    digits = "".join(filter(str.isdigit, text))
    return sorted(
        one for one, where in values.items()
        if where != own and _may_be(signs[one], text, digits)
    )  # fmt: skip


def _may_be(signs: tuple[str, list[str]], text: str, digits: str) -> bool:
    """Whether a form of a value can be in a text."""
    number, beginnings = signs
    return bool(number and number in digits) or any(one in text for one in beginnings)


def _signs(value: str) -> tuple[str, list[str]]:
    """By what a value is recognized at a glance: its number's end, its words' beginnings."""
    number = "".join(filter(str.isdigit, value))
    end = number[-BEGINNING:] if len(number) >= BEGINNING else ""
    return end, [word[:BEGINNING] for word in value.casefold().split()]


def _both(own: Known, known: Known) -> Known:
    """What a file says of whom a text is about, and what other strings say."""
    return {one: (*own.get(one, ()), *known.get(one, ())) for one in own.keys() | known.keys()}


def _value(document: Document, finding: Finding) -> str:
    return document.text[finding.start : finding.end]


def _digest(document: Document, *more: str) -> bytes:
    own = chain.from_iterable((label, *values) for label, values in document.known.items())
    told = (document.field, document.label, document.language, document.text, *own, *more)
    return sha256("\0".join(told).encode("utf-8", "surrogatepass")).digest()
