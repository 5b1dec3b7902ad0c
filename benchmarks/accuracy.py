"""What Scrubjay finds of a corpus' gold spans, by label, with intervals.

    python benchmarks/accuracy.py --data FILE.jsonl.gz --json benchmarks/results/accuracy.json

`--data` holds lines `{"id", "text", "spans": [{"start", "end", "label"}]}`, offsets in code points.
vocabularies.py maps a corpus' labels to ours. No text is printed without `--show-text`.

Recall of a gold label, the share of its spans that are
    found    one finding with a label that maps to it overlaps it with IoU of at least 0.5
    strict   one such finding has exactly its borders
    covered  findings of whatever labels cover every character of it, blanks aside: nothing leaks
Precision of one of our labels, over all texts: a finding is
    true     when it overlaps a gold span of a label that it maps to
    nested   when it lies inside a longer gold span of another label, as a domain lies in an
             e-mail address: neither true nor false
    false    otherwise; `wrong_label` of them overlap some gold, the others overlap none
Only labels that the corpus annotates are judged: those that one of its labels maps to, and
`--annotates` for labels that happen not to occur. All others are counted as `unjudged`. A corpus
that annotates a label only in part makes precision look worse than it is.

Characters, whatever the label: recall over all gold, precision over all findings outside ignored
spans. In brackets: 95 % intervals from resampling documents; where all or none hit, the exact
binomial one with a document as a trial. Documents made from one template are not independent, so
that for synthetic corpora the intervals are too narrow.
"""

from __future__ import annotations

import argparse
import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import harness
import vocabularies

from scrubjay import engine, labels, policies
from scrubjay.detectors import patterns

IOU = 0.5
Key = tuple[str, ...]  # ("recall", gold label, "found"), ("precision", our label) ...


class Span(NamedTuple):
    """A place with a label: gold or found."""

    start: int
    end: int
    label: str


@cache
def maps(ours: str, gold: str) -> bool:
    """Whether a finding of our label answers for a gold label."""
    return not vocabularies.GOLD.get(gold, frozenset()).isdisjoint(labels.lineage(ours))


def overlap(one: Span, other: Span) -> int:
    """Characters in common."""
    return max(0, min(one.end, other.end) - max(one.start, other.start))


def iou(one: Span, other: Span) -> float:
    """Intersection over union."""
    common = overlap(one, other)
    return common / (one.end - one.start + other.end - other.start - common)


class Tally:
    """Hits and chances per measure and document; ratios and their intervals."""

    def __init__(self) -> None:
        self._rows: dict[Key, list[tuple[int, int, int]]] = defaultdict(list)

    def add(self, document: int, counts: dict[Key, tuple[int, int]]) -> None:
        """One document's hits and chances."""
        for key, (hits, chances) in counts.items():
            if chances:
                self._rows[key].append((document, hits, chances))

    def keys(self) -> list[Key]:
        """What was measured."""
        return sorted(self._rows)

    def ratio(self, key: Key) -> dict[str, Any]:
        """Hits over chances."""
        hits = sum(hits for _, hits, _ in self._rows[key])
        chances = sum(chances for _, _, chances in self._rows[key])
        return {"value": round(hits / chances, 4), "hits": hits, "of": chances}

    def intervals(self, documents: int, resamples: int, seed: int = 1) -> dict[Key, list[float]]:
        """The middle 95 % of each ratio over resampled documents."""
        dice = random.Random(seed)
        drawn: dict[Key, list[float]] = defaultdict(list)
        for _ in range(resamples):
            weights = [0] * documents
            for document in dice.choices(range(documents), k=documents):
                weights[document] += 1
            for key, rows in self._rows.items():
                chances = sum(weights[document] * of for document, _, of in rows)
                if chances:
                    hits = sum(weights[document] * hit for document, hit, _ in rows)
                    drawn[key].append(hits / chances)
        return {key: _middle(sorted(values)) for key, values in drawn.items()}

    def interval(self, key: Key, ranges: dict[Key, list[float]]) -> list[float]:
        """The resampled range; at 0 or all hits, where resampling sees no doubt, the exact one
        for as many trials as there are documents with chances."""
        told = self.ratio(key)
        unseen = round(0.025 ** (1 / len(self._rows[key])), 4)
        if told["hits"] == told["of"]:
            return [unseen, 1.0]
        if told["hits"] == 0:
            return [0.0, round(1 - unseen, 4)]
        return ranges[key]


def _middle(values: list[float]) -> list[float]:
    last = len(values) - 1
    return [round(values[round(last * share)], 4) for share in (0.025, 0.975)]


class Judged(NamedTuple):
    """One document: what counts, and what a person may want to look at."""

    counts: dict[Key, tuple[int, int]]
    outcomes: Counter[Key]
    missed: list[Span]
    false: list[Span]


def judge(text: str, gold: list[Span], findings: list[Span], judged: frozenset[str]) -> Judged:
    """Compare one document's findings with its gold."""
    ignored = [span for span in gold if span.label in vocabularies.IGNORED]
    gold = [span for span in gold if span.label not in vocabularies.IGNORED]
    findings = [f for f in findings if not any(overlap(f, span) for span in ignored)]
    hits: dict[Key, Counter[bool]] = defaultdict(Counter)
    missed, false = [], []
    for span in gold:
        results = recall(text, span, findings)
        for kind, success in results.items():
            for group in _groups(span.label):
                hits["recall", group, kind][success] += 1
        if not results["covered"]:
            missed.append(span)
    outcomes: Counter[Key] = Counter()
    for finding in findings:
        outcome = precision(finding, gold, judged)
        outcomes[finding.label, outcome] += 1
        if outcome in {"true", "spurious", "wrong_label"}:
            hits["precision", finding.label][outcome == "true"] += 1
            hits["precision", "all"][outcome == "true"] += 1
        if outcome in {"spurious", "wrong_label"}:
            false.append(finding)
    counts = {key: (counter[True], counter.total()) for key, counter in hits.items()}
    return Judged({**counts, **characters(text, gold, findings)}, outcomes, missed, false)


def _groups(label: str) -> tuple[str, ...]:
    """The rows that a gold span counts in."""
    if label not in vocabularies.GOLD:
        return (label,)
    if vocabularies.pattern_type(label):
        return (label, "all pattern types", "all")
    return (label, "all")


def recall(text: str, span: Span, findings: list[Span]) -> dict[str, bool]:
    """In which senses a gold span was found."""
    same = [f for f in findings if maps(f.label, span.label)]
    return {
        "found": any(iou(f, span) >= IOU for f in same),
        "strict": any((f.start, f.end) == (span.start, span.end) for f in same),
        "covered": not _bare(text, span, findings),
    }


def _bare(text: str, span: Span, findings: list[Span]) -> bool:
    """Whether any character of the span but blanks lies outside all findings."""
    at = span.start
    for finding in sorted(findings):
        if finding.end > at and finding.start < span.end:
            if text[at : finding.start].strip():
                return True
            at = max(at, finding.end)
    return bool(text[at : span.end].strip())


def precision(finding: Span, gold: list[Span], judged: frozenset[str]) -> str:
    """true, nested, wrong_label, spurious or unjudged."""
    touched = [span for span in gold if overlap(finding, span)]
    if any(maps(finding.label, span.label) for span in touched):
        return "true"
    size = finding.end - finding.start
    if any(overlap(finding, span) == size < span.end - span.start for span in touched):
        return "nested"
    if finding.label not in judged:
        return "unjudged"
    return "wrong_label" if touched else "spurious"


def characters(text: str, gold: list[Span], findings: list[Span]) -> dict[Key, tuple[int, int]]:
    """Label-blind: what of the gold is covered, and what of the findings is gold."""
    wanted, got = _places(text, gold), _places(text, findings)
    both = len(wanted & got)
    return {
        ("characters", "recall"): (both, len(wanted)),
        ("characters", "precision"): (both, len(got)),
    }


def _places(text: str, spans: Iterable[Span]) -> set[int]:
    return {at for span in spans for at in range(span.start, span.end) if not text[at].isspace()}


def judged_labels(gold_labels: Iterable[str]) -> frozenset[str]:
    """Our labels that at least one of the corpus' labels maps to."""
    known = list(gold_labels)
    return frozenset(ours for ours in labels.table() if any(maps(ours, gold) for gold in known))


def finder(policy: str, alone: bool) -> Callable[[str], list[Span]]:
    """Texts to findings, as the policy's thresholds let them through."""
    if alone:
        built = engine.Engine(policies.load(policy), [patterns.shipped()])
    else:
        built = engine.load(policy)
    return lambda text: [Span(f.start, f.end, f.label) for f in built.detect(text)]


def gold_of(record: dict[str, Any], dropped: frozenset[str]) -> list[Span]:
    """A record's spans, labels in one spelling."""
    spans = (
        Span(s["start"], s["end"], str(s["label"]).upper().replace("-", "_").replace(" ", "_"))
        for s in record["spans"]
    )
    return [span for span in spans if span.label not in dropped and span.end > span.start]


def evaluate(options: argparse.Namespace) -> dict[str, Any]:
    """Everything but the printing."""
    dropped = frozenset(options.drop.split(",")) if options.drop else frozenset()
    corpus = [(r["text"], gold_of(r, dropped)) for r in harness.records(options.data)]
    counts = Counter(span.label for _, gold in corpus for span in gold)
    extra = options.annotates.split(",") if options.annotates else []
    judged = judged_labels([*counts, *extra])
    find = finder(options.policy, options.patterns_only)
    tally, outcomes = Tally(), Counter[Key]()
    for number, (text, gold) in enumerate(corpus):
        result = judge(text, gold, find(text), judged)
        tally.add(number, result.counts)
        outcomes.update(result.outcomes)
        if options.show_text:
            show_text(text, result)
    ranges = tally.intervals(len(corpus), options.resamples)
    return {
        "data": options.data.name,
        "data_sha256": hashlib.sha256(options.data.read_bytes()).hexdigest(),
        "documents": len(corpus),
        "gold": dict(counts.most_common()),
        "unmapped": sorted(set(counts) - set(vocabularies.GOLD) - vocabularies.IGNORED),
        "measures": dict(_measures(tally, ranges)),
        "outcomes": _nested(outcomes),
    }


def _measures(tally: Tally, ranges: dict[Key, list[float]]) -> Iterator[tuple[str, Any]]:
    for key in tally.keys():  # noqa: SIM118 - not a dict
        yield " ".join(key), {**tally.ratio(key), "interval": tally.interval(key, ranges)}


def _nested(outcomes: Counter[Key]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = defaultdict(dict)
    for (label, outcome), count in sorted(outcomes.items()):
        table[label][outcome] = count
    return dict(table)


def show_text(text: str, result: Judged) -> None:
    """For the eyes of whoever may read the corpus: what leaked, what was taken wrongly."""
    for what, spans in (("missed", result.missed), ("false", result.false)):
        for span in spans:
            before, after = text[max(0, span.start - 30) : span.start], text[span.end :][:30]
            line = f"{before}[[{text[span.start : span.end]}]]{after}".replace("\n", "\\n")
            print(f"{what}\t{span.label}\t{line}")


def show(result: dict[str, Any]) -> None:
    """Tables of numbers; no text."""
    measures = result["measures"]
    rows: list[tuple[object, ...]] = [("gold label", "spans", "found", "strict", "covered")]
    groups = [label for label in result["gold"] if f"recall {label} found" in measures]
    for label in (*groups, "all pattern types", "all"):
        told = [measures.get(f"recall {label} {kind}") for kind in ("found", "strict", "covered")]
        if told[0]:
            rows.append((label, told[0]["of"], *map(_told, told)))
    harness.table(rows)
    rows = [("our label", "judged", "precision", "true", "wrong", "spurious", "nested", "unjudged")]
    for label, outcome in result["outcomes"].items():
        measure = measures.get(f"precision {label}")
        kinds = ("true", "wrong_label", "spurious", "nested", "unjudged")
        numbers = (outcome.get(kind, 0) for kind in kinds)
        rows.append((label, measure["of"] if measure else 0, _told(measure), *numbers))
    print()
    harness.table(rows)
    print()
    for kind in ("recall", "precision"):
        print(f"characters, {kind}: {_told(measures.get(f'characters {kind}'))}")
    if result["unmapped"]:
        print(f"gold labels without a mapping: {', '.join(result['unmapped'])}")


def _told(measure: dict[str, Any] | None) -> str:
    if not measure:
        return "-"
    low, high = measure["interval"]
    return f"{measure['value']:.3f} [{low:.3f} {high:.3f}]"


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--policy", default="hipaa-safe-harbor", help="for its thresholds")
    parser.add_argument("--patterns-only", action="store_true", help="no other detector")
    parser.add_argument("--annotates", help="more gold labels of the corpus, with commas")
    parser.add_argument("--drop", help="gold labels to leave out, with commas")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--show-text", action="store_true", help="print misses and false findings")
    parser.add_argument("--json", type=Path, dest="output")
    return parser.parse_args()


def main() -> None:
    """Measure, show, write."""
    options = parse()
    result = evaluate(options)
    show(result)
    head = {
        **harness.scrubjay_facts(),
        "policy": options.policy,
        "patterns_only": options.patterns_only,
    }
    harness.write(options.output, {**head, **result})


if __name__ == "__main__":
    main()
