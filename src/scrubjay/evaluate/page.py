"""The report to read: one HTML file that needs nothing else. It shows what the result holds, so it
has text of documents only where the result has; everything in it is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib.resources import files

from scrubjay.evaluate.measure import MICRO
from scrubjay.evaluate.result import Evaluation, Leak, Spot
from scrubjay.evaluate.tally import Rate, Score, Scores

LONGEST = 1000  # rows of a list of places
Told = Rate | Score | None
Row = tuple[str, ...]

BORDERS = {
    "strict": "the same borders",
    "exact_type": "the same borders",
    "iou": "at least half in common",
    "overlap": "at least a character in common",
}
LABELLINGS = {"aware": "with a fitting label", "blind": "whatever the label"}
VERY = "with the very label"
KINDS = {
    "register": "Register",
    "language": "Language",
    "case": "Case",
    "length": "Characters",
    "culture": "Culture of names",
    "gender": "Gender of names",
}
MEANING = {
    "Leaked characters": "share of the characters in gold spans, blanks aside, that no finding "
    "covers, whatever its label",
    "Leaky documents": "share of the documents with gold in which any character leaks",
    "Precision, characters": "share of the characters taken that are in gold spans, whatever the "
    "label; findings of labels that the data does not annotate do not count",
    "Spans": "recall: gold spans that a finding answers for; precision: findings that answer for a "
    "gold span; F1 and F2 are their harmonic means, F2 with recall twice as important",
    "[low high]": "95 % intervals by resampling documents; where all or none hit, exact binomial "
    "ones. Documents made from one template make them too narrow",
    "Culture, gender": "what the names in a span are listed as, given names first: several where "
    "two fit equally, unlisted where none does",
}


def render(result: Evaluation) -> str:
    """The whole page."""
    css = files("scrubjay.evaluate").joinpath("page.css").read_text("utf-8")
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Evaluation: {escape(_name(result))}</title><style>{css}</style></head>\n"
        f"<body><main>{''.join(_sections(result))}</main></body></html>\n"
    )


def _sections(result: Evaluation) -> Iterator[str]:
    yield from _head(result)
    yield _cards(result)
    yield from _leaks_by_label(result)
    yield from _scores_by_label(result)
    yield from _scores_by_notion(result)
    yield from _tab(result)
    yield from _slices(result)
    yield from _places("What leaked", result.leaks, "Nothing leaked.")
    yield from _places(
        "Taken beside all gold", result.false, "Every finding touches gold.", folded=True
    )
    yield from _about(result)


def _name(result: Evaluation) -> str:
    names = [source.name for source in result.data.files]
    return names[0] if len(names) == 1 else f"{len(names)} files"


def _head(result: Evaluation) -> Iterator[str]:
    data, leak = result.data, result.leak
    yield '<p class="kicker">Scrubjay evaluation</p>'
    yield f"<h1>{escape(_name(result))}</h1>"
    counts = (data.documents, "document"), (data.words, "word"), (sum(data.spans.values()), "span")
    profile = f", profile {result.system.profile}" if result.system.profile else ""
    told = (
        f"{', '.join(counted(*count) for count in counts)} of gold. "
        f"Scrubjay {result.system.version}, policy {result.system.policy}{profile}."
    )
    yield f'<p class="soft">{escape(told)}</p>'
    if leak.characters and leak.documents:
        yield (
            f'<p class="verdict">Of {leak.characters.of:,} identifying characters, '
            f"<b>{leak.characters.hits:,}</b> stay in the text, in "
            f"<b>{leak.documents.hits:,}</b> of {counted(leak.documents.of, 'document')}.</p>"
        )


def _cards(result: Evaluation) -> str:
    strict = result.spans["aware"]["strict"].get(MICRO)
    speed = result.speed
    cards = (
        _card("Leaked characters", result.leak.characters, leak=True),
        _card("Leaky documents", result.leak.documents, leak=True),
        _card("Precision, characters", result.precision),
        _card("F1 of spans, strict", strict.f1 if strict else None),
        '<div class="card"><div class="of">Speed</div>'
        f'<div class="value">{speed.words_per_second:,.0f}</div>'
        f'<div class="range">words/s, {speed.seconds:,.2f} s in all</div></div>',
    )
    return f'<div class="cards">{"".join(cards)}</div>'


def _card(title: str, told: Told, *, leak: bool = False) -> str:
    value = f"{100 * told.value:.1f}<small> %</small>" if told else "\u2013"
    return (
        f'<div class="card{" leak" if leak else ""}"><div class="of">{title}</div>'
        f'<div class="value">{value}</div>{_bar(told, leak=leak)}'
        f'<div class="range">{_range(told)}</div></div>'
    )


def _leaks_by_label(result: Evaluation) -> Iterator[str]:
    yield "<h2>What stays in the text, by label</h2>"
    yield (
        '<p class="note">Labels as the data names them. What any finding covers is covered, '
        "whatever its label. Where most leaks comes first.</p>"
    )
    rows = sorted(result.leak_by_label.items(), key=lambda row: -_hits(row[1].characters))
    yield _table(
        ("Label", "!Spans", "Leaked characters, %", "!", "!Leaky spans, %", "!Documents, %"),
        [_leak_row("all", result.leak), *(_leak_row(label, leak) for label, leak in rows)],
        whole=True,
    )


def _leak_row(name: str, leak: Leak) -> Row:
    return (
        _td(name),
        _n(_of(leak.spans)),
        _chart(leak.characters, leak=True),
        *map(_rate, (leak.characters, leak.spans, leak.documents)),
    )


def _scores_by_label(result: Evaluation) -> Iterator[str]:
    yield "<h2>Spans with the same borders, by label</h2>"
    yield '<p class="note">Our labels: the one that a gold label is mapped to first.</p>'
    table = result.spans["aware"]["strict"]
    rows = sorted(table.items(), key=lambda row: (row[0] != MICRO, -_of(row[1].recall), row[0]))
    yield _table(
        ("Label", "!Spans", "Recall, %", "!", "Precision, %", "!", "!F1", "!F2"),
        [_score_row("all" if name == MICRO else name, scores) for name, scores in rows],
        whole=MICRO in table,
    )


def _score_row(name: str, scores: Scores) -> Row:
    return (
        _td(name),
        _n(_of(scores.recall)),
        *(cell(rate) for rate in (scores.recall, scores.precision) for cell in (_chart, _rate)),
        *(_td(f"{100 * f.value:.1f}" if f else "\u2013", "n") for f in (scores.f1, scores.f2)),
    )


def _scores_by_notion(result: Evaluation) -> Iterator[str]:
    yield "<h2>Spans, by what counts as found</h2>"
    rows = [
        (
            _td(
                f"{BORDERS[borders]}, {VERY if borders == 'exact_type' else LABELLINGS[labelling]}"
            ),
            *(_rate(getattr(scores[MICRO], kind)) for kind in Scores.__struct_fields__),
        )
        for labelling, table in result.spans.items()
        for borders, scores in table.items()
        if MICRO in scores
    ]
    yield _table(("Found means", "!Precision, %", "!Recall, %", "!F1, %", "!F2, %"), rows)


def _tab(result: Evaluation) -> Iterator[str]:
    if not result.tab:
        return
    yield "<h2>By TAB's rule</h2>"
    yield (
        '<p class="note">Who or what is named counts as protected only if every mention is '
        "covered whole.</p>"
    )
    told = {
        "Direct identifiers protected": result.tab.direct,
        "Quasi-identifiers protected": result.tab.quasi,
        "Precision, over what must be masked": result.tab.precision,
        "Precision, over all that is annotated": result.tab.precision_annotated,
    }
    rows = [(_td(name), _n(_of(rate)), _chart(rate), _rate(rate)) for name, rate in told.items()]
    yield _table(("", "!Of", "", "!%"), rows)


def _slices(result: Evaluation) -> Iterator[str]:
    kinds = [kind for kind in KINDS if len(result.slices.get(kind, ())) > 1]
    if not kinds:
        return
    yield "<h2>Where it leaks more</h2>"
    yield '<p class="note">Leaked characters in groups of documents, and of names of persons.</p>'
    yield '<div class="pair">'
    for kind in kinds:
        rows = sorted(result.slices[kind].items(), key=lambda row: -_of(row[1].leak.spans))
        table = _table(
            (KINDS[kind], "!Spans", "Leaked, %", "!"),
            [_slice_row(name, part.leak) for name, part in rows],
        )
        yield f'<div class="slice">{table}</div>'
    yield "</div>"


def _slice_row(name: str, leak: Leak) -> Row:
    rate = leak.characters
    return _td(name), _n(_of(leak.spans)), _chart(rate, leak=True), _rate(rate)


def _places(
    title: str, spots: Sequence[Spot], nothing: str, *, folded: bool = False
) -> Iterator[str]:
    yield f"<h2>{title}</h2>"
    if not spots:
        yield f'<p class="note">{nothing}</p>'
        return
    shown = spots[:LONGEST]
    more = f"; the first {LONGEST:,} are shown, the JSON has all" if len(spots) > LONGEST else ""
    places = counted(len(spots), "place") + more
    yield f'<p class="note">{places}. Start and end in characters.</p>'
    with_text = isinstance(shown[0].text, str)
    columns = ("Document", "Label", "!Start", "!End", "!Length", "Shape", *(["Text"] * with_text))
    table = _table(columns, map(_spot, shown))
    yield f"<details><summary>Show them</summary>{table}</details>" if folded else table


def _spot(spot: Spot) -> Row:
    row = (
        _td(spot.document),
        _td(spot.label, ""),
        *map(_n, (spot.start, spot.end, spot.length)),
        _td(spot.shape, "shape"),
    )
    parts = [part for part in (spot.before, spot.text, spot.after) if isinstance(part, str)]
    if not parts:
        return row
    before, text, after = map(escape, parts)
    return (*row, f'<td class="text">{before}<mark>{text}</mark>{after}</td>')


def _about(result: Evaluation) -> Iterator[str]:
    yield "<h2>How to read this</h2><dl>"
    for name, meaning in MEANING.items():
        yield f"<dt>{name}</dt><dd>{meaning}</dd>"
    yield "</dl><h3>What was measured</h3><dl>"
    told = {
        "Detectors": ", ".join(result.system.detectors),
        "Policy digest": result.system.policy_digest,
        **{source.name: f"SHA-256 {source.sha256}" for source in result.data.files},
    }
    if result.unjudged:
        told["Not annotated"] = ", ".join(f"{la} {n:,}" for la, n in result.unjudged.items())
    for name, value in told.items():
        yield f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
    yield "</dl>"


def _table(columns: Iterable[str], rows: Iterable[Row], *, whole: bool = False) -> str:
    """Rows of finished cells; a column that begins with `!` holds numbers. The first row stands
    out where it is the `whole`."""
    head = "".join(_column(column) for column in columns)
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    kind = ' class="whole"' if whole else ""
    head, body = f"<thead><tr>{head}</tr></thead>", f"<tbody>{body}</tbody>"
    return f'<div class="wide"><table{kind}>{head}{body}</table></div>'


def _column(title: str) -> str:
    return f'<th class="n">{title[1:]}</th>' if title.startswith("!") else f"<th>{title}</th>"


def _td(text: str, kind: str = "name") -> str:
    """A cell of plain text."""
    return f'<td class="{kind}">{escape(text)}</td>'


def _n(number: int) -> str:
    return _td(f"{number:,}", "n")


def _rate(told: Told) -> str:
    """A cell with a value and its interval."""
    if told is None:
        return _td("\u2013", "n")
    return f'<td class="n">{100 * told.value:.1f} <span class="range">{_range(told)}</span></td>'


def _chart(told: Told, *, leak: bool = False) -> str:
    return f'<td class="chart">{_bar(told, leak=leak)}</td>'


def _bar(told: Told, *, leak: bool = False) -> str:
    """The value as a bar, its interval as a line over it."""
    if told is None:
        return ""
    value, low, high = (100 * part for part in (told.value, told.low, told.high))
    none = ' class="none"' if not value else ""
    return (
        f'<span class="bar{" leak" if leak else ""}"><i{none} style="width:{value:.2f}%"></i>'
        f'<u style="left:{low:.2f}%;width:{high - low:.2f}%"></u></span>'
    )


def counted(number: int, noun: str) -> str:
    """`1 document`, `2 documents`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(told: Told, *, interval: bool = True) -> str:
    """`97.1 % [96.0 98.2]`."""
    if told is None:
        return "-"
    return f"{100 * told.value:.1f} %" + (f" {_range(told)}" if interval else "")


def _range(told: Told) -> str:
    return f"[{100 * told.low:.1f} {100 * told.high:.1f}]" if told else "nothing to count"


def _hits(rate: Rate | None) -> int:
    return rate.hits if rate else 0


def _of(rate: Rate | None) -> int:
    return rate.of if rate else 0
