"""Every way to write known persons' names, and which words of a text are one.

A word that is a part of a name is a mention; mentions that stand together are one. A part alone
that is an ordinary word too (Price, Young) counts where a capital says that it is a name.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files

from msgspec import Struct

from scrubjay.detectors import lists
from scrubjay.detectors.known.plain import TOKEN, Plain, fold, spellings, tokens
from scrubjay.detectors.known.typos import Typos
from scrubjay.types import Finding

EXACT, DERIVED, TYPO, WEAK = 1.0, 0.9, 0.8, 0.6
MOST = 16  # words of a name that get derived forms: longer values are no names
MOST_BESIDE = 4  # initials and particles on either side of a name
NEAR = 40  # characters between two parts of a name that make each other certain
_SPLIT = ("o", "mc", "mac", "d", "l", "al", "de", "la", "le", "van", "von", "del", "san", "st")
_CUES = frozenset(["patient", "pt", "client", "resident", "name", "named", "initials", "signed"])


class Word(Struct, frozen=True, gc=False):
    """What a word of a text means: a part of a name, and how it was derived from it."""

    part: str
    form: str  # exact, derived, nick, typo, user


class Mention(Struct, frozen=True, gc=False):
    """A word found at a place of the folded text."""

    start: int
    end: int
    word: Word


@cache
def people() -> dict[str, frozenset[str]]:
    """Titles, suffixes and particles, folded."""
    path = files("scrubjay.operators").joinpath("lists", "people.toml")
    table = tomllib.loads(path.read_text("utf-8"))
    kinds = ("titles", "suffixes", "particles")
    return {kind: frozenset(fold(word) for word in table[kind].split()) for kind in kinds}


@cache
def nicknames() -> dict[str, frozenset[str]]:
    """A given name -> all that its bearers are called."""
    known: dict[str, set[str]] = {}
    for line in lists.read("nicknames"):
        first, *others = map(fold, line.split())
        known.setdefault(first, set()).update(others)
        for other in others:
            known.setdefault(other, set()).add(first)
    return {name: frozenset(called) for name, called in known.items()}


@cache
def ordinary() -> frozenset[str]:
    """Words that are no misspelt name and no user name."""
    return (lists.read("ordinary_words") - lists.read("given_names")) | common()


@cache
def common() -> frozenset[str]:
    """Words that many texts hold and that are names, too."""
    return frozenset(map(fold, lists.read("common_words") | lists.read("not_names")))


class Names:
    """All forms of some names, by word."""

    def __init__(self, values: Iterable[str]) -> None:
        self.words: dict[str, Word] = {}
        self._names: dict[str, set[int]] = {}  # part -> the names it is in; 0: a name of one word
        self.pairs: dict[str, set[str]] = {}  # brien -> o
        self._whole: set[tuple[str, ...]] = set()
        self._initials: set[str] = set()
        self._letters: set[str] = set()
        self._particles: set[str] = set()
        parts: list[str] = []
        for value in values:
            parts += self._add(value)
        self.typos = Typos(dict.fromkeys(parts))

    def _add(self, value: str) -> list[str]:
        """Put one name's forms in; the words whose typos are looked for come back."""
        whole = tokens(value)
        parts, particles = _parts(whole)
        self._whole.add(whole)
        self._particles.update(particles, _ELIDED.findall(fold(value)))
        name = len(self._whole) if len(parts) > 1 else 0
        for part in parts:
            self.words[part] = Word(part, "exact")
            self._names.setdefault(part, set()).add(name)
        if len(parts) > MOST:
            return list(parts[:MOST])
        self._letters.update(part[0] for part in parts)
        self._spell(value, parts)
        self._join(whole, parts)
        natural = _natural(value, whole, parts)
        self._call(natural)
        return list(parts)

    def _spell(self, value: str, parts: Sequence[str]) -> None:
        """Other spellings, nicknames, O'Brien for Obrien."""
        for written in TOKEN.findall(value):
            part = fold(written)
            if part in parts:
                for other in spellings(written):
                    self._derive(other, part)
        for part in parts:
            for called in nicknames().get(part, ()):
                self._derive(called, part, "nick")
            for start in _SPLIT if part.startswith(_SPLIT) else ():
                if part.startswith(start) and len(part) > len(start) + 2:
                    self.pairs.setdefault(part[len(start) :], set()).add(start)

    def _join(self, whole: Sequence[str], parts: Sequence[str]) -> None:
        """Leeross, Delacruz, Lacruz."""
        for end, part in enumerate(whole):
            joined = part
            for before in reversed(whole[max(0, end - 3) : end]):
                joined = before + joined
                if part in parts and len(before) > 1:
                    self._derive(joined, part)
                if before in parts:
                    break

    def _call(self, natural: tuple[str, ...]) -> None:
        """User names and initials of a name with its given name first."""
        if len(natural) < 2 or len(natural) > MOST // 2:
            return
        given, *family = natural
        for last in {*family, "".join(family)}:
            for user in (given + last, last + given, given[0] + last, last + given[0]):
                self._derive(user, given, "user")
            self._derive(given + last[0], given, "user")
        letters = [part[0] for part in natural]
        self._initials.add("".join(letters))
        self._initials.update(letters[0] + other for other in letters[1:])

    def _derive(self, word: str, part: str, form: str = "derived") -> None:
        if word not in self.words and (len(word) > 3 or form != "user"):
            self.words[word] = Word(part, form)

    def find(self, plain: Plain, mentions: list[Mention]) -> Iterator[Finding]:
        """The names that the mentions make, in order."""
        runs = list(_runs(plain, mentions))
        certain = [_sure(plain, run) for run in runs]
        for index, run in enumerate(runs):
            start, end = self._widened(plain, run[0].start, run[-1].end)
            wide = (start, end) != (run[0].start, run[-1].end)
            form, score = self._judged(plain, run, wide, self._near(runs, certain, index))
            if score:
                yield Finding(start, end, "PERSON", score, form)

    def _judged(
        self, plain: Plain, run: list[Mention], wide: bool, beside: bool
    ) -> tuple[str, float]:
        """How a mention came to be, and what it counts; nothing for an ordinary word."""
        start, end = run[0].start, run[-1].end
        if len(run) > 1 and tuple(TOKEN.findall(plain.folded, start, end)) in self._whole:
            return "exact", EXACT
        single, capital = len(run) == 1 and not wide, plain.shown[start].isupper()
        if any(mention.word.form == "typo" for mention in run):
            return "typo", TYPO if capital or not single else WEAK
        if single and run[0].word.form == "user":
            return "user", 0.0 if plain.folded[start:end] in ordinary() else DERIVED
        if not single or (beside and capital and not _eponym(plain, start, end)):
            return "derived", DERIVED
        return alone(plain, start, end, run[0].word.form, self._whole)

    def _near(self, runs: list[list[Mention]], certain: list[bool], index: int) -> bool:
        """Whether another part of the same name, sure to be one, is near."""
        run = runs[index]
        for other in (index - 1, index + 1):
            if 0 <= other < len(runs) and certain[other]:
                beside = runs[other]
                gap = max(run[0].start - beside[-1].end, beside[0].start - run[-1].end)
                if gap <= NEAR and self._related(run[0].word.part, beside):
                    return True
        return False

    def _related(self, part: str, run: list[Mention]) -> bool:
        """Whether a run holds another part of a name that this one is in, or a lone name."""
        mine = self._names[part]
        others = (self._names[m.word.part] for m in run if m.word.part != part)
        return any(mine & other or 0 in mine | other for other in others)

    def _widened(self, plain: Plain, start: int, end: int) -> tuple[int, int]:
        """With the initials and particles that stand beside: "M. ... ", "de la ...", "..., M."."""
        for _ in range(MOST_BESIDE):
            before = _BEFORE.search(plain.shown, max(0, start - 6), start)
            if before is None or not self._belongs(before[1]):
                break
            if before[0] in _ARTICLES and plain.folded[start:end] in common():
                break  # "A Price", "I Grant"
            start = before.start()
        for _ in range(MOST_BESIDE):
            after = _AFTER.match(plain.shown, end)
            if after is None or not self._belongs(after[1]):
                break
            if after[1] in "AI" and plain.folded[start:end] in common():
                break
            end = after.end()
        return start, end

    def _belongs(self, word: str) -> bool:
        """An initial of the names, in capitals, or one of their particles."""
        folded = fold(word)
        return folded in self._particles or (word.isupper() and folded in self._letters)

    def initials(self, plain: Plain, place: int) -> tuple[int, int] | None:
        """Initials of a name right after a cue or title that ends at `place`: "Ms. M.G."."""
        match = _INITIALS.match(plain.shown, place)
        if match and "".join(TOKEN.findall(match[1])).lower() in self._initials:
            return match.span(1)
        return None

    @property
    def cues(self) -> frozenset[str]:
        """Words after which initials are looked for."""
        return _all_cues() if self._initials else frozenset()


_ARTICLES = ("A ", "I ")
_ELIDED = re.compile(r"(?<![^\W_])([^\W\d_])'")
_BEFORE = re.compile(r"(?<![^\W_])([^\W\d_]{1,4})(?:\.[ ]?|[ ]|['’\-])$")
_AFTER = re.compile(r",?[ ]([^\W\d_])(?:\.|(?![^\W_'’]))")
_INITIALS = re.compile(
    r"[.:]?[ \t]{0,3}((?:[^\W\d_a-z]\.?[ -]?){1,4}[^\W\d_a-z](?:\.(?=\W|$))?)(?![^\W_])"
)
_BETWEEN = re.compile(r"(?!\.\s)[\s,.'_/()\-]{1,4}(?:(?:[^\W\d_]|(\w{2,4}))[\s.'\-]{1,3}){0,4}")
_MIDDLE = re.compile(r"[ ]([^\W\d_]{2,20})[ ]")
_TITLE = re.compile(r"([^\W\d_]+)[.:]?[ \t]{0,2}$")


@cache
def _all_cues() -> frozenset[str]:
    return people()["titles"] | _CUES


def _parts(whole: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The words that name, and the particles between them."""
    words = list(whole)
    while len(words) > 1 and words[0] in people()["titles"]:
        words.pop(0)
    while len(words) > 2 and words[-1] in people()["suffixes"]:
        words.pop()
    small = [w for w in words[:-1] if w in people()["particles"]]
    parts = [w for w in words if w not in small and (len(w) > 1 or not w.isascii())]
    return (parts, small) if parts else (words, [])


def _natural(value: str, whole: tuple[str, ...], parts: list[str]) -> tuple[str, ...]:
    """The parts with the given name first: after a comma, it comes first."""
    surname, comma, _ = value.partition(",")
    cut = sum(word in parts for word in tokens(surname)) if comma else 0
    return (*parts[cut:], *parts[:cut])


def _runs(plain: Plain, mentions: list[Mention]) -> Iterator[list[Mention]]:
    """Mentions that stand together."""
    run: list[Mention] = []
    for mention in mentions:
        if run and (_repeats(run, mention) or not _together(plain, run[-1], mention)):
            yield run
            run = []
        run.append(mention)
    if run:
        yield run


def _repeats(run: list[Mention], mention: Mention) -> bool:
    """Whether a new name begins: a part comes again, or a user name stands by itself."""
    forms = {run[-1].word.form, mention.word.form}
    return "user" in forms or any(mention.word.part == known.word.part for known in run[-MOST:])


def _together(plain: Plain, one: Mention, other: Mention) -> bool:
    """Whether no more than punctuation, particles, initials or a middle name is between."""
    start, end = one.end, other.start
    if end - start > 24:
        return False
    between = _BETWEEN.fullmatch(plain.folded, start, end)
    if between and all(
        (len(word) == 1 and word.isupper()) or fold(word) in people()["particles"]
        for word in TOKEN.findall(plain.shown, start, end)
    ):
        return True
    middle = _MIDDLE.fullmatch(plain.shown, start, end)
    if middle is None or one.word.part == other.word.part or not middle[1][0].isupper():
        return False
    return plain.shown[one.start].isupper() and fold(middle[1]) not in common()


def _sure(plain: Plain, run: list[Mention]) -> bool:
    """Whether this is a name whatever stands around."""
    first = run[0]
    if len({mention.word.part for mention in run}) > 1:
        return True
    return first.word.form != "typo" and plain.folded[first.start : first.end] not in ordinary()


def alone(
    plain: Plain, start: int, end: int, form: str, whole: Iterable[tuple[str, ...]] = ()
) -> tuple[str, float]:
    """What one part of a name counts by itself: the more of a word it is, the more is asked of it.
    Price needs a capital inside a sentence, Weaver and Ann need a capital, Gonzalez needs none."""
    word, shown = plain.folded[start:end], plain.shown[start:end]
    if _eponym(plain, start, end) or (len(word) == 1 and word.isascii()):
        return "", 0.0
    short = len(word) < 3 and word.isascii()
    if word in common() or short or (form == "nick" and (len(word) < 4 or word in ordinary())):
        return ("weak", WEAK) if capital_tells(plain, start, end) else ("", 0.0)
    if shown.islower() and word.isascii() and (len(word) < 4 or word in ordinary()):
        return "", 0.0
    exact = form == "exact" and (word,) in whole
    return ("exact", EXACT) if exact else ("part", DERIVED)


def _eponym(plain: Plain, start: int, end: int) -> bool:
    """Parkinson's disease, Barré syndrome: what is named after somebody else."""
    if plain.folded[start:end] not in lists.read("eponyms"):
        return False
    following = _FOLLOWING.match(plain.folded, end)
    return following is not None and following[1] in lists.read("eponym_tails")


_FOLLOWING = re.compile(r"(?:'s?)?[ -]([^\W\d_]+)")


def capital_tells(plain: Plain, start: int, end: int) -> bool:
    """Whether a word has a capital that neither a sentence's start nor capitals around explain."""
    shown = plain.shown[start:end]
    if not shown[0].isupper():
        return False
    before = plain.shown[max(0, start - 24) : start]
    title = _TITLE.search(before)
    if title and fold(title[1]) in _all_cues():
        return True
    if len(shown) == 2 and shown.isupper():
        return False  # ED, MS, PT
    last = before.rstrip(" \t\"'(“‘")[-1:]
    if not last or last in ".!?:;\n\r-*\u2022":
        return False
    return not shown.isupper() or not _shouted(before, plain.shown[end : end + 24])


def _shouted(before: str, after: str) -> bool:
    """Whether a word beside is in capitals, too."""
    words = [*TOKEN.findall(before)[-1:], *TOKEN.findall(after)[:1]]
    return any(len(word) > 1 and word.isupper() for word in words)
