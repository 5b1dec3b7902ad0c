"""Recognizers that a request brings along: regexes, deny lists and words that raise a score."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from scrubjay.detectors.known import Deny, words
from scrubjay.errors import ScrubjayError, UsageError
from scrubjay.serve.presidio.regexes import FLAGS, Regex
from scrubjay.types import Document, Finding

NAME = "adhoc.v1"
MOST = 100  # regexes of a request
MOST_WORDS = 10_000  # of its deny lists
BEFORE = 5  # words before a value that may raise its score
RAISED, LEAST = 0.35, 0.4  # by how much, and to at least what
_WORD = re.compile(r"\w+")
LOOKED_AT = 200  # characters before a value


class Pattern(Struct, frozen=True):
    """A regex, and how sure it is."""

    name: str
    regex: str
    score: float

    def __repr__(self) -> str:
        return "Pattern()"


class Recognizer(Struct, frozen=True):
    """As Presidio's `PatternRecognizer.from_dict` takes it."""

    supported_entity: str = ""
    supported_entities: tuple[str, ...] = ()
    name: str = ""
    supported_language: str = "en"
    patterns: tuple[Pattern, ...] | None = ()
    deny_list: tuple[str, ...] | None = ()
    deny_list_score: float = 1.0
    context: tuple[str, ...] | None = ()
    global_regex_flags: int = FLAGS
    version: str = ""
    country_code: str | None = None

    def __repr__(self) -> str:
        return "Recognizer()"

    @property
    def entity(self) -> str:
        """What it finds."""
        return self.supported_entity or next(iter(self.supported_entities), "")


class AdHoc:
    """Recognizers of one request as a detector. `context`: words that
    the request has beside its text."""

    name = NAME

    def __init__(self, recognizers: Sequence[Recognizer], context: Iterable[str] = ()) -> None:
        _check(recognizers)
        self._beside = [word.lower() for word in context]
        self._armed = [
            (one, [(Regex(p.regex, one.global_regex_flags), p.score) for p in one.patterns or ()],
             Deny({one.entity: one.deny_list or ()}))
            for one in recognizers
        ]  # fmt: skip

    def detect(self, documents: Sequence[Document]) -> list[list[Finding]]:
        """Each document alone: these are few."""
        return [list(self._found(document)) for document in documents]

    def _found(self, document: Document) -> Iterator[Finding]:
        for one, regexes, deny in self._armed:
            for regex, score in regexes:
                for start, end in regex.spans(document.text):
                    told = self._raised(document.text, start, one, score)
                    yield Finding(start, end, one.entity, told, NAME)
            for finding in deny.detect([document])[0]:
                told = self._raised(document.text, finding.start, one, one.deny_list_score)
                yield replace(finding, score=told, detector=NAME)

    def _raised(self, text: str, start: int, one: Recognizer, score: float) -> float:
        """Its score, raised where a word of its context is near or beside the text."""
        if not one.context:
            return score
        near = _WORD.findall(text[max(0, start - LOOKED_AT) : start].lower())[-BEFORE:]
        wanted = [word.lower() for word in one.context]
        if any(word in said for said in (*near, *self._beside) for word in wanted):
            return min(1.0, max(LEAST, score + RAISED))
        return score


def _check(recognizers: Sequence[Recognizer]) -> None:
    if sum(len(one.patterns or ()) for one in recognizers) > MOST:
        raise UsageError(f"ad_hoc_recognizers: more than {MOST} regexes; put them into a policy")
    if sum(len(one.deny_list or ()) for one in recognizers) > MOST_WORDS:
        raise UsageError(f"ad_hoc_recognizers: deny lists of more than {MOST_WORDS} words")
    for one in recognizers:
        _check_one(one)


def _check_one(one: Recognizer) -> None:
    """Presidio's own words and status for what it refuses, too."""
    scores = [*(pattern.score for pattern in one.patterns or ()), one.deny_list_score]
    if not one.entity:
        raise ScrubjayError("Pattern recognizer should be initialized with entity")
    if not (one.patterns or one.deny_list):
        raise ScrubjayError(
            "Pattern recognizer should be initialized with patterns or with deny list"
        )
    if not all(0 <= score <= 1 for score in scores):
        raise ScrubjayError("Invalid score. Score should be between 0 and 1")
    if not all(words(value) for value in one.deny_list or ()):
        raise UsageError("ad_hoc_recognizers: a word of a deny_list has no letter and no digit")
