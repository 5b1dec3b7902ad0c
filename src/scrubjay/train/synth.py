"""Many documents from few: values swapped, parts recombined, noise added.

    scrubjay train synth --lists FOLDER --count 20000 -o synthetic.jsonl.gz

Seeds are split by document: those that calibrate or measure never lend a sentence to training.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator, Sequence

from scrubjay.marked import Change, Marked, Span, changed
from scrubjay.model.tags import CLASSES, class_of
from scrubjay.train.corpora import TITLE, Example
from scrubjay.train.lists import Lists
from scrubjay.train.noise import noisy
from scrubjay.train.swap import Swap

COVERED = frozenset(CLASSES)
PLACEHOLDERS = (
    "[{0} {1}]", "[{0}]", "[{0} {1}]", "<{0}>", "<{0}_{1}>", "[REDACTED]", "[**{0}**]", "***",
    "[{0}-{2:06x}]", "____", "XXXX", "{{{{{3}}}}}", "[{3} removed]",
)  # fmt: skip
OTHERWISE = 0.2  # of documents write their people in another way than their seed
FORMS = (  # given name, family name, this in capitals, an initial, all of it small and in capitals
    "{1}", "{1}", "{1}", "{1} {0}", "{1} {0}", "{1}, {0}", "{2} {0}", "{2}, {0}", "{0} {2}", "{2}",
    "{3}. {1}", "{1} {3}", "{4}", "{5}",
)  # fmt: skip
_FULL = re.compile(  # given names; a family name with its particles
    r"[^\W\d_][\w'’-]+(?: [^\W\d_a-z][\w'’-]+)? (?:[a-z][a-z'’]+ ){0,2}[^\W\d_][\w'’-]+"
)
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_TITLED = re.compile(TITLE.pattern + r"\Z")


def part(seed: Marked) -> str:
    """train, calibration or test: a tenth each of the latter, told by the name alone."""
    place = int(hashlib.sha256(seed.name.encode()).hexdigest(), 16) % 10
    return {0: "calibration", 1: "test"}.get(place, "train")


def variants(
    seeds: Sequence[Marked], lists: Lists, count: int, dice: random.Random
) -> Iterator[Example]:
    """`count` examples, every seed in turn."""
    return map(example, documents(seeds, lists, count, dice))


def documents(
    seeds: Sequence[Marked], lists: Lists, count: int, dice: random.Random
) -> Iterator[Marked]:
    """The same with the labels of the seeds."""
    order: list[Marked] = []
    for _ in range(count):
        if not order:
            order = dice.sample(seeds, len(seeds))
        seed = order.pop()
        way = dice.random()
        if way < 0.05:
            seed = fragment(seed, dice)
        elif way < 0.25:
            seed = splice(seed, dice.choice(seeds), dice)
        elif way < 0.4:
            seed = crop(seed, dice)
        made = Swap(lists, dice).document(seed)
        if dice.random() < OTHERWISE:
            made = otherwise(made, lists, dice)
        made = noisy(made, dice)
        yield cleaned(made, dice) if dice.random() < 0.05 else made


def otherwise(marked: Marked, lists: Lists, dice: random.Random) -> Marked:
    """Most of the full names as other people's, in one other form: the family name alone or first,
    an initial."""
    form = dice.choice(FORMS)
    people: dict[str, str] = {}

    def change(span: Span) -> Change:
        value = marked.text[span.start : span.end]
        if span.label == "PERSON" and _FULL.fullmatch(value):
            if value not in people:
                given, family = lists.person(dice)
                whole = f"{given} {family}"
                other = form.format(
                    given, family, family.upper(), given[0], whole.lower(), whole.upper()
                )
                people[value] = other if dice.random() < 0.8 else value
            value = people[value]
        return Change(span.start, span.end, value, span.label)

    return changed(marked.name, marked.text, map(change, marked.spans))


def cleaned(marked: Marked, dice: random.Random) -> Marked:
    """The text as somebody has anonymized it before, wholly or in part: what stands in a value's
    place is nobody's."""
    share, form = dice.choice((0.4, 0.8, 1.0)), dice.choice(PLACEHOLDERS)

    def change(span: Span) -> Change:
        start, end, label = span
        if dice.random() >= share:
            return Change(start, end, marked.text[start:end], label)
        new = form.format(label, dice.randint(1, 9), dice.randint(0, 16**6), label.lower())
        return Change(start, end, new, "")

    return changed(marked.name, marked.text, map(change, marked.spans))


def splice(one: Marked, other: Marked, dice: random.Random) -> Marked:
    """The paragraphs of two documents, shuffled into each other."""
    blocks = [*paragraphs(one), *paragraphs(other)]
    return join(dice.sample(blocks, min(len(blocks), dice.randint(2, 8))), one.name)


def crop(seed: Marked, dice: random.Random) -> Marked:
    """Some lines of a document."""
    lines = cut(seed, [m.span() for m in re.finditer(r"\n", seed.text)])
    first = dice.randrange(len(lines))
    return join(lines[first : first + dice.randint(1, 8)], seed.name, "\n")


def fragment(seed: Marked, dice: random.Random) -> Marked:
    """A few words alone, as a cell of a table holds them; or a number that says nothing."""
    if dice.random() < 0.3:
        number = str(
            dice.choice((dice.randint(0, 20), dice.randint(0, 999), dice.randint(0, 99) / 10))
        )
        return Marked(seed.name, dice.choice(("", "", "n: ", "count: ", "id: ")) + number, ())
    borders = {0, len(seed.text), *(m.start() for m in re.finditer(r"\s", seed.text))}
    outer = sorted(b for b in borders if not any(s.start < b < s.end for s in seed.spans))
    first = dice.randrange(len(outer) - 1) if len(outer) > 1 else 0
    last = min(first + dice.randint(1, 4), len(outer) - 1)
    start, end = outer[first], outer[last]
    while start < end and seed.text[start].isspace():
        start += 1
    spans = (s for s in seed.spans if start <= s.start and s.end <= end)
    moved = tuple(Span(s.start - start, s.end - start, s.label) for s in spans)
    return Marked(seed.name, seed.text[start:end], moved)


def paragraphs(seed: Marked) -> list[Marked]:
    """The blocks between blank lines."""
    return cut(seed, [m.span() for m in _PARAGRAPH.finditer(seed.text)])


def cut(seed: Marked, borders: list[tuple[int, int]]) -> list[Marked]:
    """The parts of a document between borders that no span crosses."""
    whole = [b for b in borders if not any(s.start < b[1] and b[0] < s.end for s in seed.spans)]
    starts = [0, *(end for _, end in whole)]
    ends = [*(start for start, _ in whole), len(seed.text)]
    return [
        Marked(seed.name, seed.text[start:end], tuple(
            Span(s.start - start, s.end - start, s.label)
            for s in seed.spans if start <= s.start and s.end <= end
        ))
        for start, end in zip(starts, ends, strict=True)
    ]  # fmt: skip


def join(blocks: Sequence[Marked], name: str, between: str = "\n\n") -> Marked:
    """Parts put together."""
    spans: list[Span] = []
    size = 0
    for block in blocks:
        spans += (Span(s.start + size, s.end + size, s.label) for s in block.spans)
        size += len(block.text) + len(between)
    return Marked(name, between.join(block.text for block in blocks), tuple(spans))


def example(marked: Marked) -> Example:
    """As a training example: labels become classes, titles before names are marked."""
    spans = []
    last = 0
    for start, end, label in marked.spans:
        title = _TITLED.search(marked.text, max(last, start - 24), start)
        if label == "PERSON" and title:
            spans.append((title.start(), title.start() + len(title[0].rstrip()), _TITLE))
        name = class_of(label)
        spans.append((start, end, frozenset({name} if name else ())))
        last = end
    return Example(marked.name, marked.text, tuple(spans), COVERED)


_TITLE = frozenset({"TITLE"})
