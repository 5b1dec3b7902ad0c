"""The report to look at: one HTML file that needs nothing else, with no text of any document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files

from scrubjay.run.summary import Kind, Summary

COLUMNS = 8  # labels that the table of folders shows; the others are summed
SHOWN = 500  # files in quarantine that the page lists
OWN = ".card .range { white-space: normal }"
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render(told: Summary) -> str:
    """The whole page."""
    css = files("scrubjay.evaluate").joinpath("page.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Run: {escape(told.policy)}</title><style>{css}{OWN}</style></head>\n"
        f"<body><main>{''.join(_sections(told))}</main></body></html>\n"
    )


def _sections(told: Summary) -> Iterator[str]:
    yield '<p class="kicker">Scrubjay, a run</p>'
    yield f"<h1>{told.files:,} {_plural('file', told.files)}, policy {escape(told.policy)}</h1>"
    yield _verdict(told)
    yield _cards(told)
    yield from _bars("What was found, by label", told.labels, "Nothing was found.")
    yield from _folders(told)
    yield from _kinds(told)
    yield from _dropped(told)
    yield from _quarantine(told)
    yield from _second_look(told)
    yield from _about(told)


def _verdict(told: Summary) -> str:
    if not told.quarantined:
        return '<p class="verdict">Every file was read and written.</p>'
    count = told.quarantined
    return (
        f'<p class="verdict"><b>{count:,} {_plural("file", count)} could not be read</b> and '
        f"{'is' if count == 1 else 'are'} not in the output: see the list below.</p>"
    )


def _cards(told: Summary) -> str:
    rate = told.left_per_10000
    cards = (
        ("Identifiers", f"{sum(told.labels.values()):,}", f"{len(told.labels)} labels"),
        ("Read", _bytes(told.bytes), f"{_bytes(told.written)} written"),
        ("In quarantine", f"{told.quarantined:,}", "not in the output"),
        ("Speed", f"{_speed(told)}", f"{told.seconds:,.1f} s, {told.jobs} at a time"),
        ("Second look", f"{rate[0]:g}" if rate else "\u2013", _range(rate)),
    )
    told_cards = (
        f'<div class="card{" leak" if title == "In quarantine" and told.quarantined else ""}">'
        f'<div class="of">{title}</div><div class="value">{value}</div>'
        f'<div class="range">{of}</div></div>'
        for title, value, of in cards
    )
    return f'<div class="cards">{"".join(told_cards)}</div>'


def _range(rate: tuple[float, float, float] | None) -> str:
    return f"in 10,000 words [{rate[1]:g} {rate[2]:g}]" if rate else "no sample"


def _speed(told: Summary) -> str:
    """Of this run alone, as far as it did something."""
    if not (told.now and told.seconds):
        return "\u2013"
    return (
        f"{_bytes(told.bytes / told.seconds)}/s"
        if told.now >= told.files
        else f"{told.now:,} files"
    )


def _bars(title: str, counts: dict[str, int], none: str) -> Iterator[str]:
    yield f"<h2>{title}</h2>"
    if not counts:
        yield f'<p class="note">{none}</p>'
        return
    most = max(counts.values())
    rows = (
        (_cell(name, "name"), _bar(count / most), _number(count)) for name, count in counts.items()
    )
    yield _table(("Label", "", "!Places"), rows)


def _folders(told: Summary) -> Iterator[str]:
    if len(told.folders) < 2:
        return
    shown = list(told.labels)[:COLUMNS]
    yield "<h2>By folder</h2>"
    yield '<p class="note">The darker, the more of all of this label.</p>'
    rows = []
    for name, counts in told.folders.items():
        others = sum(count for label, count in counts.items() if label not in shown)
        cells = [_heat(counts.get(label, 0), told.labels[label]) for label in shown]
        rows.append((_cell(name, "name"), *cells, _number(others)))
    yield _table(("Folder", *(f"!{label}" for label in shown), "!Others"), rows)


def _heat(count: int, most: int) -> str:
    share = round(55 * count / most) if most else 0
    shade = f"background:color-mix(in srgb, var(--blue) {share}%, transparent)"
    return f'<td class="n" style="{shade}">{count:,}</td>'


def _kinds(told: Summary) -> Iterator[str]:
    yield "<h2>By kind of file</h2>"
    most = max((kind.seconds for kind in told.kinds.values()), default=0) or 1
    rows = (
        (
            _cell(name, "name"), _number(kind.files), _cell(_bytes(kind.bytes), "n"),
            _bar(kind.seconds / most), _cell(f"{kind.seconds:,.1f} s", "n"),
            _cell(_rate(kind), "n"),
        )
        for name, kind in sorted(told.kinds.items(), key=lambda row: -row[1].bytes)
    )  # fmt: skip
    yield _table(("Kind", "!Files", "!Read", "Time", "!", "!Speed of one process"), rows)


def _rate(kind: Kind) -> str:
    return f"{_bytes(kind.bytes / kind.seconds)}/s" if kind.seconds else "\u2013"


def _dropped(told: Summary) -> Iterator[str]:
    rows = [
        (_cell(name, "name"), _cell(what), _number(count))
        for name, kind in sorted(told.kinds.items())
        for what, count in sorted(kind.dropped.items())
    ]
    if rows:
        yield "<h2>What was left out</h2>"
        yield '<p class="note">Parts of files that could identify and have no clean form.</p>'
        yield _table(("Kind", "What", "!Times"), rows)


def _quarantine(told: Summary) -> Iterator[str]:
    if not told.quarantined:
        return
    yield "<h2>In quarantine</h2>"
    yield (
        '<p class="note">Not in the output. Names are clean ones; the list with the real names '
        "is where the run said. A second run tries these files again.</p>"
    )
    rows = ((_cell(one.file, "name"), _cell(one.why)) for one in told.quarantine[:SHOWN])
    yield _table(("File", "Why"), rows)
    if told.quarantined > SHOWN:
        yield f'<p class="note">and {told.quarantined - SHOWN:,} more</p>'


def _second_look(told: Summary) -> Iterator[str]:
    yield "<h2>A second look</h2>"
    if told.left_per_10000 is None:
        yield '<p class="note">None was taken.</p>'
        return
    value, low, high = told.left_per_10000
    yield (
        f"<p>The encoder alone read {told.look.words:,} words of what was written and took "
        f"exception to {sum(told.look.found.values()):,} places that this run had left: "
        f"{value:g} in 10,000 words [{low:g} {high:g}, 95 %]. They may be false alarms, and it "
        "may miss what the run missed: only people can tell. <code>scrubjay review</code> shows "
        "them a sample.</p>"
    )
    yield from _bars("What it took exception to", told.look.found, "Nothing.")


def _about(told: Summary) -> Iterator[str]:
    yield "<h2>About</h2>"
    facts = {
        "Made": told.created,
        "Scrubjay": told.scrubjay,
        "Policy": f"{told.policy}, sha256 {told.policy_digest}",
        "Tagger": told.profile,
        **{f"Model {name}": digest for name, digest in told.models.items()},
    }
    rows = "".join(f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in facts.items())
    yield f"<dl>{rows}</dl>"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A head that begins with ! is of numbers."""
    top = "".join(
        f'<th class="n">{escape(head[1:])}</th>'
        if head.startswith("!")
        else f"<th>{escape(head)}</th>"
        for head in heads
    )
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return (
        f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _cell(told: str, kind: str = "") -> str:
    return f'<td class="{kind}">{escape(told)}</td>' if kind else f"<td>{escape(told)}</td>"


def _number(count: int) -> str:
    return f'<td class="n">{count:,}</td>'


def _bar(share: float) -> str:
    return (
        f'<td class="chart"><span class="bar"><i style="width:{100 * share:.1f}%"></i></span></td>'
    )


def _bytes(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"
