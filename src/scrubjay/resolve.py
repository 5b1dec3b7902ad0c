"""From what detectors found to what will be replaced: one finding per place, one number per person.

Overlaps become their union under the stronger label; what was found once is found everywhere;
different spellings of one name become one entity. Pure: text and findings in, findings out.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain

from msgspec.structs import replace

from scrubjay import labels
from scrubjay.detectors import lists
from scrubjay.detectors.known import FEW, UNSURE, WORD, Values, Words, fold, words
from scrubjay.people import link
from scrubjay.types import Finding

EVERYWHERE = "resolve.v1:everywhere"
MOST_WORDS = 16  # of a value that is looked for everywhere: longer ones would cost their square
SHORTEST = 4  # characters of a value that is looked for everywhere; names may be shorter
_INITIALS = re.compile(r"(?<![^\W_])(?:[^\W\d_a-z]\.[ ]?){1,3}$")
_GIVEN = re.compile(r"(?<![^\W_])([^\W\d_a-z][^\W\d_]+)[ ](?:[^\W\d_a-z][ ])?$")
_LED = re.compile(
    r"(?<![^\W_])(?:(?:aan |in |op |uit |van |voor )?['’]t |['’]s |(?:in |op |uit )den )$", re.I
)
_OWN = re.compile(r"(?:['’]t|den) ", re.IGNORECASE)  # of these a net may find the last part
_ENDS = frozenset(f"{end} " for end in "tsnTSN")
LEAD = len("voor 't ")
_HORNED = re.compile("[ƠƯẠ-ỹ]", re.IGNORECASE)  # of Vietnamese names, some of Yoruba and Igbo ones
_MARKS = "\\u0300-\\u036f"  # that may follow a letter as characters of their own
_CAPITAL = rf"[^\W\d_a-z](?:[^\W\d_]|[{_MARKS}-]){{0,24}}"
_NEXT = re.compile(rf" ({_CAPITAL})(?![\w@{_MARKS}-])")
_BEFORE = re.compile(rf"(?<![\w@{_MARKS}-])({_CAPITAL}) $")
REACH = 28  # characters of a word beside a name, and a little more
BESIDE = 2  # words in such letters that a name takes on either side
PLACEHOLDER = re.compile(r"\[([A-Z_]{2,})(?: \d+)?\]")


def resolve(
    text: str,
    findings: Iterable[Finding],
    allow: frozenset[Words] = frozenset(),
    kept: Callable[[str], bool] = lambda label: False,
) -> list[Finding]:
    """The final findings, in order, without overlaps, each with its entity's number. `kept` tells
    the labels that stay in the text: in an overlap they give way to those that do not."""
    placeholders = _placeholders(text)
    wanted = partial(_wanted, text, allow, placeholders)
    if placeholders:
        findings = chain.from_iterable(_outside(finding, placeholders) for finding in findings)
    found = merge(filter(wanted, findings), kept)
    again = list(filter(wanted, _new(everywhere(text, found), found)))
    both = merge([*found, *again], kept) if again else found
    return number(text, horned(text, led(text, both), allow))


def whole(text: str, finding: Finding, allow: frozenset[Words] = frozenset()) -> list[Finding]:
    """What `resolve` makes of the finding that takes all of a text."""
    wanted = _wanted(text, allow, _placeholders(text), finding)
    return [replace(finding, entity=1)] if wanted else []


def _wanted(
    text: str, allow: frozenset[Words], placeholders: list[tuple[int, int]], finding: Finding
) -> bool:
    """Neither allowed nor the name of a placeholder: a second run changes nothing."""
    value = text[finding.start : finding.end]
    if not value.isalnum() and not any(map(str.isalnum, value)):
        return False
    if allow and words(value) in allow:
        return False
    if not placeholders:
        return True
    nearest = bisect_right(placeholders, (finding.start, len(text))) - 1
    inside = nearest >= 0 and finding.end <= placeholders[nearest][1]
    return not inside or not any(map(str.isalpha, value))  # "[AGE 92]" still says 92


def _outside(finding: Finding, placeholders: list[tuple[int, int]]) -> Iterator[Finding]:
    """What a net found, without the placeholders that it took for values. Rules know better."""
    if not finding.detector.startswith("tagger."):
        yield finding
        return
    start = finding.start
    for left, right in [p for p in placeholders if p[0] < finding.end and start < p[1]]:
        if start < left:
            yield replace(finding, start=start, end=left)
        start = right
    if start < finding.end:
        yield replace(finding, start=start)


def _placeholders(text: str) -> list[tuple[int, int]]:
    """Where `[SSN]` and `[PERSON 2]` stand."""
    if "[" not in text:
        return []
    return [m.span() for m in PLACEHOLDER.finditer(text) if m[1] in labels.table()]


def merge(
    findings: Iterable[Finding], kept: Callable[[str], bool] = lambda label: False
) -> list[Finding]:
    """Overlapping findings as one: their union, under the label of the stronger."""
    merged: list[Finding] = []
    end = 0
    for finding in sorted(findings):
        if finding.start < end:
            merged[-1] = _union(merged[-1], finding, kept)
        else:
            merged.append(finding)
        end = merged[-1].end
    return merged


def _union(one: Finding, other: Finding, kept: Callable[[str], bool]) -> Finding:
    start, end = one.start, max(one.end, other.end)  # they are in order
    length = end - start
    stronger = one
    if _strength(other, length, kept) > _strength(one, length, kept):
        stronger = other
    return Finding(start, end, stronger.label, stronger.score, stronger.detector)


def _strength(
    finding: Finding, whole: int, kept: Callable[[str], bool]
) -> tuple[bool, bool, float, int, int]:
    """A rule names what it knows, an SSN; a net only what it looks like, a phone number."""
    length, depth = finding.end - finding.start, len(labels.lineage(finding.label))
    named = 2 * length >= whole and not finding.detector.startswith("tagger.")
    return not kept(finding.label), named, finding.score, length, depth


def led(text: str, found: list[Finding]) -> list[Finding]:
    """The findings, names with the particles that lead into them, which a net takes for words, and
    with the given name before these: "Ada in 't Veld"."""
    longer: list[Finding] = []
    for finding in found:
        if finding.label == "PERSON":
            start = _lead(text, finding.start, longer[-1].end if longer else 0)
            if start < finding.start:
                start = longer[-1].start if _named(text, longer, start) else start
                finding = replace(finding, start=start)
        longer.append(finding)
    return merge(longer) if longer != found else found


def _lead(text: str, start: int, least: int) -> int:
    """Where the particles begin that lead into a name."""
    if text[start - 2 : start] not in _ENDS and text[start] not in "'’dD":
        return start  # as nearly always
    own = _OWN.match(text, start)
    lead = _LED.search(text, max(least, start - LEAD), own.end() if own else start)
    return min(lead.start(), start) if lead else start


def _named(text: str, found: list[Finding], start: int) -> bool:
    """Whether a name ends one blank before."""
    return bool(found) and found[-1].label == "PERSON" and text[found[-1].end : start] == " "


def horned(text: str, found: list[Finding], allow: frozenset[Words] = frozenset()) -> list[Finding]:
    """The findings, names with the capitalized words beside them that have letters of Vietnamese:
    Mỹ Linh. Nets read them without marks, as *my*."""
    if text.isascii():
        return found

    def taken(word: str) -> bool:
        capital = unicodedata.normalize("NFC", word)
        if not (_HORNED.search(capital) and capital[0].isupper()):
            return False
        return not any(part in value for part in words(word) for value in allow)

    longer: list[Finding] = []
    for number, finding in enumerate(found):
        start, end = finding.start, finding.end
        least = found[number - 1].end if number else 0
        most = found[number + 1].start if number + 1 < len(found) else len(text)
        for _ in range(BESIDE if finding.label == "PERSON" else 0):
            before = _BEFORE.search(text, max(least, start - REACH), start)
            start = before.start() if before and taken(before[1]) else start
            after = _NEXT.match(text, end, min(most, end + REACH))
            end = after.end() if after and taken(after[1]) else end
        longer.append(replace(finding, start=start, end=end))
    return merge(longer) if longer != found else found


def _new(findings: Iterable[Finding], found: list[Finding]) -> list[Finding]:
    """Without those that a rule found in their place already: merged, they would change nothing."""
    new = list(findings)
    if not new:
        return new
    same = {(f.start, f.end, f.label, f.score) for f in found if _first(f)}
    return [f for f in new if (f.start, f.end, f.label, f.score) not in same]


def everywhere(text: str, findings: list[Finding]) -> Iterator[Finding]:
    """Other places of values already found."""
    seeds: dict[Words, Finding] = {}
    folded = fold(text) if len(findings) <= FEW else ""
    different: dict[tuple[str, str, str], Finding] = {}
    for f in findings:
        different.setdefault((text[f.start : f.end], f.label, f.detector), f)
    for finding in different.values():
        for value in _seeds(text, finding):
            if not (folded and _once(folded, value, finding)):
                seeds.setdefault(value, finding)
    if not seeds:
        return
    for start, end, seed in Values(seeds).occurrences(text):
        if seed.label != "PERSON":
            yield Finding(start, end, seed.label, seed.score, EVERYWHERE)
        elif _is_name(text, start, end, seed):
            yield Finding(_with_given_names(text, start), end, seed.label, seed.score, EVERYWHERE)


def _once(folded: str, value: Words, finding: Finding) -> bool:
    """Whether a value stands nowhere but in its finding, which stays what it is. A name may begin
    before its known part."""
    return finding.label != "PERSON" and _first(finding) and folded.count(value[0]) == 1


def _first(finding: Finding) -> bool:
    """Whether `merge` leaves a finding as it is, where its value is found again in its place: it
    comes first, and no net, which a rule is stronger than, found it."""
    return finding.detector < EVERYWHERE < "tagger."


def _with_given_names(text: str, start: int) -> int:
    """Where the name begins whose known part begins here: "J. Smith", "Hannah M. Smith"."""
    if text[max(0, start - 1) : start] not in (" ", ".", "\n"):
        return start
    initials = _INITIALS.search(text, max(0, start - 8), start)
    begin = initials.start() if initials else start
    given = _GIVEN.search(text, max(0, begin - 24), begin)
    if given and given[1].casefold() in lists.read("given_names"):
        return given.start()
    return begin


def _seeds(text: str, finding: Finding) -> list[Words]:
    label = labels.table().get(finding.label)
    if not label or not label.everywhere or finding.detector == UNSURE:
        return []
    value = words(text[finding.start : finding.end])
    if finding.detector.startswith("tagger.") and not _telling(value):
        return []
    if finding.label == "PERSON":
        parts: list[Words] = [(word,) for word in value if len(word) > 1]
        return [value, *parts] if 1 < len(value) <= MOST_WORDS else parts
    wanted = sum(map(len, value)) >= SHORTEST and len(value) <= MOST_WORDS
    return [value] if wanted else []


def _telling(value: Words) -> bool:
    """Whether a net's value may speak for other places: a common word or a short number means
    something else there."""
    if len(value) == 1 and _common(value[0]):
        return False
    return any(map(str.isalpha, "".join(value))) or sum(map(len, value)) > SHORTEST


def _is_name(text: str, start: int, end: int, seed: Finding) -> bool:
    """Whether a part of a known name is a name here too, not a word or an eponym."""
    found = text[start:end]
    following = WORD.search(text, end, end + 24)
    if following and following[0].casefold() in lists.read("eponym_tails"):
        return False
    if not found[0].isupper():
        return text[seed.start : seed.end].islower() and not _common(found)
    if len(words(found)) > 1 or not _common(found):
        return True
    before = text[max(0, start - 20) : start].rstrip(" \t\"'(")[-1:]
    return bool(before) and before not in ".!?:;\n\r-*"  # a capital that starts no sentence


def _common(word: str) -> bool:
    return word.casefold() in lists.read("common_words")


def number(text: str, findings: list[Finding]) -> list[Finding]:
    """Entities per label, numbered as they appear."""
    if len(findings) == 1:
        return [replace(findings[0], entity=1)]
    mentions = [text[f.start : f.end] for f in findings if f.label == "PERSON"]
    people = iter(link(mentions))
    numbers: dict[str, dict[object, int]] = {}
    compared = {value: words(value) for value in {text[f.start : f.end] for f in findings}}
    numbered = []
    for f in findings:
        identity = next(people) if f.label == "PERSON" else compared[text[f.start : f.end]]
        known = numbers.setdefault(f.label, {})
        entity = known.setdefault(identity, len(known) + 1)
        numbered.append(Finding(f.start, f.end, f.label, f.score, f.detector, entity))
    return numbered
