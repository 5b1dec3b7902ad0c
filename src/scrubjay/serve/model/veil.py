"""Placeholders in place of what identifies, in all strings of a request: one table for all of it,
and what was found in one string is found in every other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from itertools import chain

from msgspec import structs

from scrubjay.detectors.known.names import nicknames
from scrubjay.detectors.known.plain import fold
from scrubjay.engine import Engine, batches
from scrubjay.formats import slots
from scrubjay.formats.work import Clean
from scrubjay.recent import Recent
from scrubjay.report import unchanged
from scrubjay.serve.model.table import Table
from scrubjay.types import Anonymized, Document, Finding, Replacement

REMEMBERED = 20_000  # texts: a conversation is sent again with each of its turns
SHORTEST = 3  # characters of a value that is looked for in the other strings
ALONE = frozenset({"AGE", "DATE", "TIME"})  # "62" and "May" say nothing elsewhere
NO_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
SEEN = 3  # signs by which a value is recognized at a glance
Values = dict[tuple[str, str], set[bytes]]  # of labels and values, digests of where they are
Known = dict[str, tuple[str, ...]]
Look = Callable[[list[int]], Iterable[list[Finding]]]  # of those at these places
Parts = Callable[[Clean], Iterable[slots.Part]]  # `clean` is for what is cleaned at once: files


class Veil:
    """One engine's. It remembers places of findings by a digest of the text, and no text."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._places: Recent[bytes, list[Finding]] = Recent(REMEMBERED)

    def over(self, parts: Parts, table: Table) -> tuple[str, Counter[str]]:
        """What `parts` gives, with placeholders; how many by label. It is looked at twice: once to
        know the values, once to put placeholders for them everywhere."""
        values: Values = {}
        for label, value in table.pairs():  # of turns before this one
            self._seek(label, value, b"", values)

        def look(documents: Iterable[Document]) -> Iterator[Anonymized]:
            return self._looked(documents, table, values)

        def hide(documents: Iterable[Document]) -> Iterator[Anonymized]:
            return self._hidden(documents, table, values, counts)

        counts: Counter[str] = Counter()
        for _ in slots.filled(parts(look), look):
            pass
        return "".join(slots.filled(parts(hide), hide)), counts

    def _looked(
        self, documents: Iterable[Document], table: Table, values: Values
    ) -> Iterator[Anonymized]:
        for batch in batches(documents):
            keys = list(map(_digest, batch))
            for document, key, found in zip(batch, keys, self._found(batch, keys), strict=True):
                table.avoid(document.text)
                for one in found:
                    self._seek(one.label, _value(document, one), key, values)
                yield _done(document, found, [])

    def _seek(self, label: str, value: str, where: bytes, values: Values) -> None:
        if len(value) >= SHORTEST and label not in ALONE and not self.engine.keeps(label):
            values.setdefault((label, value), set()).add(where)

    def _hidden(
        self, documents: Iterable[Document], table: Table, values: Values, counts: Counter[str]
    ) -> Iterator[Anonymized]:
        clues = _Clues(values)
        for batch in batches(documents):
            keys = list(map(_digest, batch))
            concerning = [
                clues.elsewhere(one.text, key) for one, key in zip(batch, keys, strict=True)
            ]
            found = self._again(batch, self._found(batch, keys), concerning)
            for document, places in zip(batch, found, strict=True):
                out = [one for one in places if not self.engine.keeps(one.label)]
                counts.update(one.label for one in out)
                names = [table.placeholder(one.label, _value(document, one)) for one in out]
                yield _done(document, out, names)

    def _found(self, batch: list[Document], keys: list[bytes]) -> list[list[Finding]]:
        return self._remembered(keys, lambda new: self.engine.find([batch[at] for at in new]))

    def _again(
        self, batch: list[Document], found: list[list[Finding]],
        concerning: list[list[tuple[str, str]]],
    ) -> list[list[Finding]]:  # fmt: skip
        """With what other strings tell, which is looked for again only where that has changed."""
        some = [at for at, told in enumerate(concerning) if told]
        keys = [_digest(batch[at], *chain.from_iterable(concerning[at])) for at in some]

        def look(new: list[int]) -> Iterable[list[Finding]]:
            places = [some[at] for at in new]
            known = _by_label({one for at in places for one in concerning[at]})
            told = [structs.replace(batch[at], known=_both(batch[at], known)) for at in places]
            return self.engine.again(told, [found[at] for at in places])

        again = dict(zip(some, self._remembered(keys, look), strict=True))
        return [again.get(at, before) for at, before in enumerate(found)]

    def _remembered(self, keys: list[bytes], look: Look) -> list[list[Finding]]:
        held = [self._places.get(key) for key in keys]
        new = [at for at, places in enumerate(held) if places is None]
        looked = iter(list(look(new)) if new else ())
        found = [next(looked) if places is None else places for places in held]
        for key, places in zip(keys, found, strict=True):
            self._places.put(key, places)
        return found


class _Clues:
    """By what values are recognized at a glance: the end of a number; the beginning or end of a
    word, or of what people of that name are called, so that one slip hides nothing."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._ends: dict[str, set[tuple[str, str]]] = {}
        self._glimpses: dict[str, set[tuple[str, str]]] = {}
        for one in values:
            number = _digits(fold(one[1]))
            if len(number) >= SEEN:
                self._ends.setdefault(number[-SEEN:], set()).add(one)
            for word in fold(one[1]).split():
                for called in (word, *nicknames().get(word, ())):
                    for glimpse in {called[:SEEN], called[-SEEN:]}:
                        self._glimpses.setdefault(glimpse, set()).add(one)

    def elsewhere(self, text: str, key: bytes) -> list[tuple[str, str]]:
        """What others have that this text may have, too, with its label: what it has itself is
        found everywhere in it already."""
        folded, own = fold(text), {key}
        digits = _digits(folded)
        told = [some for one, some in self._glimpses.items() if one in folded]
        told += [some for one, some in self._ends.items() if one in digits]
        return sorted(one for one in set().union(*told) if self._values[one] != own)


def _digits(text: str) -> str:
    if text.isascii():
        return text.encode().translate(None, NO_DIGITS).decode()
    return "".join(filter(str.isdigit, text))


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


def _by_label(values: Iterable[tuple[str, str]]) -> Known:
    known: dict[str, list[str]] = {}
    for label, value in sorted(values):
        known.setdefault(label, []).append(value)
    return {label: tuple(held) for label, held in known.items()}


def _both(document: Document, known: Known) -> Known:
    """What a file says of whom a text is about, and what other strings say."""
    if not (own := document.known):
        return known  # the same one: what is made of it serves all
    return {one: (*own.get(one, ()), *known.get(one, ())) for one in own.keys() | known.keys()}


def _value(document: Document, finding: Finding) -> str:
    return document.text[finding.start : finding.end]


def _digest(document: Document, *more: str) -> bytes:
    own = chain.from_iterable((label, *values) for label, values in document.known.items())
    told = (document.field, document.label, document.language, document.text, *own, *more)
    return sha256("\0".join(told).encode("utf-8", "surrogatepass")).digest()
