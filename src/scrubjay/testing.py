"""What our own plug-ins pass, for yours: contract checks, and a canary that finds leaks.

Each check raises AssertionError with the promise that was broken.
"""

from __future__ import annotations

import datetime
import io
import logging
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from msgspec import structs

from scrubjay import plugins, report
from scrubjay.errors import ScrubjayError
from scrubjay.formats.work import Work
from scrubjay.keys import Key
from scrubjay.operators import Scene
from scrubjay.types import Anonymized, Document, Finding, Replacement

CANARY = "Zyxquora-7731-Canary"
TEXTS = (
    "",
    "plain words",
    "Dr. Ann Lee, 555-010-7788, ann@example.org\r\n",
    "\u0645\u0631\u062d\u0628\u0627 \U0001f469\u200d\u2695\ufe0f e\u0301 \u200b12\u20113",
    "A" * 5000,
    "\n" * 100,
)
TODAY = datetime.date(2026, 1, 1)
KEY = Key(b"k" * 32)


class FakeDetector:
    """Finds given words: the stand-in for a model in tests."""

    name = "fake.v1"

    def __init__(self, words: dict[str, str], score: float = 0.9) -> None:
        self._words = words
        self._score = score

    def detect(self, documents: Iterable[Document]) -> list[list[Finding]]:
        """A finding for the first place of every word."""
        return [
            [
                Finding(start, start + len(word), label, self._score, self.name)
                for word, label in self._words.items()
                if (start := document.text.find(word)) >= 0
            ]
            for document in documents
        ]


def scene(document: Document, findings: list[Finding], key: Key | None = None) -> Scene:
    """What an operator sees, with a fixed day and key."""
    return Scene(document, findings, key or KEY, {}, TODAY)


def check_detector(detector: plugins.Detector) -> None:
    """One list a document, in order; spans inside the text; the same answer alone and in a batch;
    a versioned name; silent about the text."""
    assert detector.name.rpartition(".v")[2].isdigit(), "the name carries a version: name.v1"
    documents = [Document(text) for text in TEXTS]
    together = canary(lambda: detector.detect(documents))
    assert len(together) == len(documents), "one list per document"
    for document, findings in zip(documents, together, strict=True):
        assert detector.detect([document]) == [findings], "a batch changes nothing"
        for finding in findings:
            assert 0 <= finding.start < finding.end <= len(document.text), "a span outside the text"
            assert 0 <= finding.score <= 1, "scores lie between 0 and 1"


def check_operator(make: Callable[..., plugins.Operator], **options: Any) -> None:
    """A string for every value, the same for the same value; no error but ours; no value in it."""
    operate = make(**options)
    for value in (*filter(None, TEXTS), CANARY):
        finding = Finding(0, len(value), "PERSON", 1.0, "test.v1", 1)
        stage = scene(Document(value, id="a", group="g"), [finding])

        def once(value: str = value, finding: Finding = finding, stage: Scene = stage) -> str:
            return operate(value, finding, stage)

        try:
            first = canary(once)
        except ScrubjayError:
            continue
        assert isinstance(first, str), "an operator answers with a string"
        assert operate(value, finding, stage) == first, "equal values get equal substitutes"


def check_format(form: plugins.Format, sample: bytes) -> None:
    """What is given back unchanged stays; every text that is changed changes in the file; no text
    is skipped in silence."""
    seen: list[str] = []

    def same(documents: Iterable[Document]) -> Iterator[Anonymized]:
        for document in documents:
            seen.append(document.text)
            yield report.unchanged(document)

    kept, again, blank = io.BytesIO(), io.BytesIO(), io.BytesIO()
    form.convert(io.BytesIO(sample), kept, Work(same, key=KEY))
    first = list(seen)
    seen.clear()
    form.convert(io.BytesIO(kept.getvalue()), again, Work(same, key=KEY))
    assert seen == first, "reading the copy gives other texts"
    assert again.getvalue() == kept.getvalue(), "a copy of the copy differs"
    work = Work(lambda documents: map(blanked, documents), key=KEY)
    form.convert(io.BytesIO(sample), blank, work)
    left = [text for text in first if len(text) > 3 and text.encode() in blank.getvalue()]
    assert not left, f"{len(left)} texts are still in the file after they were replaced"


def blanked(document: Document) -> Anonymized:
    """All of a document replaced by one sign."""
    told = report.unchanged(document)
    if not document.text:
        return told
    done = Replacement(0, len(document.text), 0, 1, "ID", 1, 1.0, "test.v1", "redact.v1")
    return Anonymized("\u2588", structs.replace(told.report, replacements=(done,)))


def canary(call: Callable[[], Any], secret: str = CANARY) -> Any:
    """Run `call`; fail if `secret` shows in what it prints, logs or says in an error. The call's
    value comes back; its ScrubjayError is raised again."""
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with redirect_stdout(heard), redirect_stderr(heard):
            return call()
    except ScrubjayError as problem:
        heard.write("".join(traceback.format_exception(problem)))
        raise
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        assert secret not in heard.getvalue(), "document text left through a side door"
