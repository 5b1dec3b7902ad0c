"""All forms of one subject's known values, and where they stand in a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

from msgspec import Struct

from scrubjay import labels
from scrubjay.detectors.known.days import Days
from scrubjay.detectors.known.names import (
    DERIVED,
    EXACT,
    MOST,
    WEAK,
    Mention,
    Names,
    Word,
    alone,
    ordinary,
)
from scrubjay.detectors.known.numbers import LONGEST, SHORTEST, Codes, Numbers
from scrubjay.detectors.known.places import UNITS, parts, ways
from scrubjay.detectors.known.plain import TOKEN, Plain, fold, tokens
from scrubjay.types import Finding

GAP = 4  # characters that may stand between two words of a value
GLUED = 32  # characters of a word around a value that are taken with it
MANY = 64  # words: more are looked for all at once
_NO_SPACES = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)
_NUMBER = re.compile(r"[\s\d.,\-/()+#]+")
_EXTENSION = re.compile(r"\s*(?:ext\.?|x|#)\s?\d{1,6}$", re.IGNORECASE)
_CODE = re.compile(r"(?=[^\d]*\d[^\d]*\d)\w{1,32}(?:[ .\-/]\w{1,32}){0,7}")
_LAST_WORD = re.compile(r"(?<![^\W_])([^\W\d_]{1,4})[ '-]$")
_HOLDER = re.compile(r"[^\s<>\"'()\[\],;]{1,200}$")
_HOLDER_END = re.compile(r"[^\s<>\"'()\[\],;]{0,200}")
_EMAIL = re.compile(r"[^@\s]{1,100}@[^@\s.]+(?:\.[^@\s.]+)+")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{1,20}://|www\.", re.IGNORECASE)


class _Entry(Struct, frozen=True):
    label: str
    form: str  # exact, part, state
    careful: bool  # a word that is an ordinary one needs a capital


class Record:
    """Forms of the values of one subject, made once and looked for in each of its texts."""

    def __init__(self, known: Mapping[str, Iterable[str]]) -> None:
        self._names: Names | None = None
        self._days: Days | None = None
        self._numbers = Numbers()
        self._codes = Codes()
        self._root: dict[Any, Any] = {}
        self._long: list[tuple[str, str]] = []  # values of many words
        self._inside: list[tuple[str, str]] = []  # values of scripts without spaces
        for label, values in known.items():
            self._add(label, [value for value in values if TOKEN.search(fold(value))])
        self._months: frozenset[str] = self._days.words if self._days else frozenset()
        self._words = self._first_words()
        self._digits = {word for word in self._words if word.isdecimal()}
        self._cues: Set[str] = self._names.cues if self._names else frozenset()

    def _add(self, label: str, values: list[str]) -> None:
        lineage = labels.lineage(label)
        if label == "PERSON" and values:
            self._names = Names(values)
        for value in values:
            if not value.isascii() and _NO_SPACES.search(value):
                pieces = {"".join(value.split()), *value.split()}
                self._inside += [(fold(piece), label) for piece in pieces if len(piece) > 1]
            if label == "PERSON":
                self._add_long(tokens(value), label)
            elif "DATE" in lineage:
                self._add_day(value, label)
            elif "LOCATION" in lineage and label != "COORDINATES":
                self._add_place(value, label)
            else:
                self._add_other(value, label, phone="PHONE" in lineage)

    def _add_day(self, value: str, label: str) -> None:
        days = self._days or Days()
        if days.add(value, label):
            self._days = days
        elif len(value.strip()) > 2:  # a month alone, or a day, is any small number of a text
            self._add_words(tokens(value), label, "exact")

    def _add_place(self, value: str, label: str) -> None:
        for words, kind, form in parts(value, label):
            if len(words) == 1 and words[0].isdecimal() and len(words[0]) >= SHORTEST:
                self._numbers.add(words[0], kind, phone=False, postal=True)
            else:
                self._add_words(words, kind, form, place=True)
        digits = fold(value).replace("-", "").strip()
        if digits.isdecimal() and len(digits) == 9:
            self._numbers.add(digits, label, phone=False, postal=True)
        elif _is_code(value):
            self._codes.add(value, label)

    def _add_other(self, value: str, label: str, *, phone: bool) -> None:
        value = _EXTENSION.sub("", value) if phone else value
        if label not in ("EMAIL", "URL", "IP", "COORDINATES") and len(value) <= 2 * LONGEST:
            folded = fold(value)
            digits = sum(map(str.isdecimal, folded))
            if SHORTEST <= digits <= LONGEST and _NUMBER.fullmatch(folded):
                self._numbers.add(value, label, phone=phone, postal=False)
                return
            if _is_code(value):
                self._codes.add(value, label)
                return
        self._add_words(tokens(value), label, "exact")

    def _add_words(
        self, words: tuple[str, ...], label: str, form: str, *, place: bool = False
    ) -> None:
        """Into the tree; words of a `place` in all ways to write them."""
        if self._add_long(words, label) or not words:
            return
        short = len(words) == 1 and words[0].isdecimal() and len(words[0]) < SHORTEST
        careful = place and len(words) == 1 and not short
        for node in self._ways(words) if place else [self._node(words)]:
            node.setdefault(None, _Entry(label, "weak" if short else form, careful))

    def _node(self, words: tuple[str, ...]) -> dict[Any, Any]:
        """Where these words end."""
        node = self._root
        for word in words:
            node = node.setdefault(word, {})
        return node

    def _ways(self, words: tuple[str, ...]) -> list[dict[Any, Any]]:
        """Where the words of a place end, in all ways to write them, units with or without."""
        level = [self._root]
        for word in words:
            following: dict[Any, Any] = {}
            below = [node.setdefault(way, following) for node in level for way in ways(word)]
            below += level if word in UNITS and word != words[0] else []
            level = list({id(node): node for node in below}.values())
        return level

    def _add_long(self, words: tuple[str, ...], label: str) -> bool:
        """Values of many words are looked for as one string: a tree would cost their square."""
        if len(words) <= MOST:
            return False
        self._long.append((f" {' '.join(words)} ", label))
        return True

    def _first_words(self) -> set[str]:
        words = {*self._root, *self._months}
        if self._names:
            words.update(self._names.words, self._names.pairs)
        return words

    def find(self, text: str) -> list[Finding]:
        """Places in `text`; a finding's detector is the form it was found by."""
        plain = Plain(text)
        found = [*self._find_words(plain), *self._codes.find(plain)]
        if self._numbers or self._days:
            found += self._numbers.find(plain, self._days)
        found = [_whole_word(plain, finding) for finding in found]
        found += self._find_whole(plain)
        return [
            Finding(*plain.span(f.start, f.end), f.label, f.score, f.detector)
            for f in (sorted(set(found)) if found else ())
        ]

    def _find_words(self, plain: Plain) -> Iterator[Finding]:
        every = plain.words()
        slips = self._slips(every)
        wanted = (self._words & every) | (self._cues & every) | self._digits | slips.keys()
        if not wanted:
            return
        mentions: list[Mention] = []
        for start, end in places(plain.folded, wanted):
            word = plain.folded[start:end]
            if mention := self._mention(plain, start, end, slips):
                mentions.append(mention)
            if word in self._root:
                yield from self._phrase(plain, start, end)
            if self._days and word in self._months:
                yield from self._days.beside(plain, start, end)
            if self._names and word in self._cues:
                place = self._names.initials(plain, end)
                if place:
                    yield Finding(*place, "PERSON", WEAK, "weak")
        if self._names and mentions:
            for finding in self._names.find(plain, mentions):
                yield _held(plain, finding)

    def _slips(self, every: Set[str]) -> dict[str, str]:
        if self._names is None:
            return {}
        return self._names.typos.among(every, (self._names.words.keys(), ordinary()))

    def _mention(self, plain: Plain, start: int, end: int, slips: dict[str, str]) -> Mention | None:
        """The word as a part of a name, or the second half of one that was split."""
        if self._names is None:
            return None
        word = plain.folded[start:end]
        if known := self._names.words.get(word):
            return Mention(start, end, known)
        if word in slips:
            return Mention(start, end, Word(slips[word], "typo"))
        first = _LAST_WORD.search(plain.folded, max(0, start - 6), start)
        if first and first[1] in self._names.pairs.get(word, ()):
            return Mention(first.start(), end, Word(first[1] + word, "derived"))
        return None

    def _phrase(self, plain: Plain, start: int, end: int) -> Iterator[Finding]:
        """The longest value that begins here."""
        folded, place = plain.folded, end
        node = self._root.get(folded[start:end])
        best: tuple[int, _Entry] | None = None
        while node:
            if None in node:
                best = place, node[None]
            following = TOKEN.search(folded, place, place + 80)
            if following is None or following.start() - place > GAP:
                break
            place, node = following.end(), node.get(following[0])
        if best:
            yield from _judged(plain, start, *best)

    def _find_whole(self, plain: Plain) -> Iterator[Finding]:
        """Values of many words, and of scripts that write without spaces."""
        for value, label in self._inside:
            place = plain.folded.find(value)
            while place >= 0:
                yield Finding(place, place + len(value), label, EXACT, "exact")
                place = plain.folded.find(value, place + len(value))
        if not self._long:
            return
        spans = [match.span() for match in TOKEN.finditer(plain.folded)]
        joined, starts = _joined(plain.folded, spans)
        for value, label in self._long:
            place = joined.find(value)
            while place >= 0:
                first, last = starts[place], starts[place + len(value) - 1] - 1
                yield Finding(spans[first][0], spans[last][1], label, EXACT, "exact")
                place = joined.find(value, place + len(value) - 1)


def _joined(folded: str, spans: list[tuple[int, int]]) -> tuple[str, dict[int, int]]:
    """The tokens with one blank around each, and which token follows the blank at a place."""
    starts, place = {}, 0
    for index, (start, end) in enumerate(spans):
        starts[place] = index
        place += end - start + 1
    starts[place] = len(spans)
    return " ".join(["", *(folded[start:end] for start, end in spans), ""]), starts


def _is_code(value: str) -> bool:
    folded = fold(value.strip())
    if len(folded) <= 3 or _CODE.fullmatch(folded) is None:
        return False
    return len(set(map(str.isdecimal, "".join(TOKEN.findall(folded))))) == 2  # not of 2.5.1


def _judged(plain: Plain, start: int, end: int, entry: _Entry) -> Iterator[Finding]:
    """A value, unless it is an ordinary word here."""
    word = plain.folded[start:end]
    if entry.careful and len(word) == 2 and word.isascii():
        beside = plain.folded[max(0, start - 2) : start].strip() == ","
        if not plain.shown[start:end].isupper() or not (
            beside or plain.folded[end : end + 2].strip().isdecimal()
        ):
            return
    elif entry.careful:
        form, score = alone(plain, start, end, "derived")
        if not score:
            return
        if form == "weak":
            yield Finding(start, end, entry.label, WEAK, "weak")
            return
    scores = {"exact": EXACT, "part": DERIVED, "weak": WEAK}
    yield Finding(start, end, entry.label, scores[entry.form], entry.form)


def places(folded: str, words: Set[str]) -> list[tuple[int, int]]:
    """Where the words stand as whole runs of letters or digits, in order."""
    if len(words) > MANY:
        return [match.span() for match in TOKEN.finditer(folded) if match[0] in words]
    found = []
    for word in words:
        start = folded.find(word)
        while start >= 0:
            end = start + len(word)
            if _is_token(folded, start, end):
                found.append((start, end))
            start = folded.find(word, end)
    return sorted(found)


def _is_token(folded: str, start: int, end: int) -> bool:
    """Whether neither neighbour is of the same kind."""
    digits = folded[start].isdecimal()
    for beside in (folded[start - 1] if start else " ", folded[end : end + 1] or " "):
        if beside.isalnum() and beside.isdecimal() == digits:
            return False
    return True


def _whole_word(plain: Plain, finding: Finding) -> Finding:
    """Up to the edges of the words it is in: MRN00123 for 00123, maria42 for maria."""
    folded, start, end = plain.folded, finding.start, finding.end
    least, most = max(0, start - GLUED), min(len(folded), end + GLUED)
    while start > least and folded[start - 1].isalnum() and folded[start].isalnum():
        start -= 1
    while end < most and folded[end].isalnum() and folded[end - 1].isalnum():
        end += 1
    if (start, end) == (finding.start, finding.end):
        return finding
    return Finding(start, end, finding.label, finding.score, finding.detector)


def _held(plain: Plain, finding: Finding) -> Finding:
    """A name inside an e-mail address or URL is the whole of it; a user name is one."""
    start, end = finding.start, finding.end
    beside = plain.folded[max(0, start - 1) : start] + plain.folded[end : end + 1]
    if beside.strip(" ,;()'\"\n"):
        before = _HOLDER.search(plain.shown, max(0, start - 200), start)
        after = _HOLDER_END.match(plain.shown, end)
        first = before.start() if before else start
        last = after.end() if after else end
        holder = plain.shown[first:last].rstrip(".:!?")
        last = first + len(holder)
        if last >= end and (kind := _kind(holder)):
            return Finding(first, last, kind, max(finding.score, DERIVED), finding.detector)
    if finding.detector == "user":
        return Finding(start, end, "USERNAME", finding.score, finding.detector)
    return finding


def _kind(holder: str) -> str:
    if _URL.match(holder):
        return "URL"
    return "EMAIL" if _EMAIL.fullmatch(holder) else ""
