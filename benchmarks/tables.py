"""The tables of the README, tagger.md, benchmarks.md and training-log.md, from the results.

    python benchmarks/tables.py

Writes them between their marks `<!-- NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import harness

RESULTS = harness.HERE / "results"
DOCS = harness.HERE.parent / "docs"
PROFILES = ("fast", "balanced", "accurate")
TEXTS = {
    "clinical notes, 3 KB": "made notes, 9 findings per KB",
    "clinical notes, few identifiers": "made notes, few identifiers",
    "aci_bench.note.jsonl.gz": "real notes (aci_bench)",
}
BRIEFLY = {
    "presidio_synth_v2": "presidio_synth_v2, 1,500 short texts",
    "asq_phi_en": "asq_phi_en, 300 clinical requests",
    "tab_en": "TAB, 31 court cases marked whole: what must be masked; any mark",
    "tab_masked_en": "TAB, 127 court cases, masks alone",
    "field": "[field](benchmarks/field), 120 documents in 20 registers",
}
SETS = {
    "presidio_synth_v2": "presidio_synth_v2, recall / precision",
    "asq_phi_en": "asq_phi_en (a part)",
    "tab_en": "TAB test, marked by hand: what must be masked / precision by all marks",
    "tab_masked_en": "TAB test, masks alone",
    "field": "[field](../benchmarks/field): 120 documents in 20 registers, written for this",
}
RIVALS = {
    "presidio": "Presidio",
    "presidio-names": "Presidio, the net without tagger, parser and lemmas",
    "spacy": "spaCy alone, likewise",
}
Told = dict[str, Any]


def main() -> None:
    """Write all of them."""
    pages = {
        "../README.md": (measured,), "tagger.md": (taggers,), "benchmarks.md": (race, found),
        "training-log.md": (doubts,),
    }  # fmt: skip
    for page, parts in pages.items():
        for part in parts:
            harness.between(DOCS / page, part.__name__, part())


def read(name: str) -> Told:
    """A result."""
    told: Told = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    return told


def row(*cells: object) -> str:
    """Of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def head(*names: str) -> Iterator[str]:
    """The first two rows."""
    yield row("", *names)
    yield row(*("---",) * (len(names) + 1))


def share(value: float) -> str:
    """.975"""
    return f"{value:.3f}".removeprefix("0")


def rounded(value: float) -> str:
    """To two digits, three from 100,000 on."""
    return f"{round(value, 3 - len(str(int(value)))):,.0f}" if value >= 100 else f"{value:g}"


def measured() -> Iterator[str]:
    """What the default finds."""
    yield from (row("data", "recall", "precision"), row(*("---",) * 3))
    for name, said in BRIEFLY.items():
        yield row(said, *_found(read(f"accuracy-{name}-balanced")).split(" / "))


def taggers() -> Iterator[str]:
    """Speed, memory, recall and precision of our profiles."""
    yield from head(*(f"`{name}`" for name in PROFILES))
    for result, core in (("tagger", "with"), ("tagger-without-vnni", "without")):
        told = [read(result)["profiles"][name] for name in PROFILES]
        for text, said in TEXTS.items():
            speeds = (rounded(one["texts"][text]["words_per_s"]) for one in told)
            yield row(f"words/s {core} VNNI, {said}", *speeds)
    peaks = (f"{one['peak_MB']:.0f} MB" for one in told)
    yield row("peak memory of the process", *peaks)
    for name, said in SETS.items():
        yield row(said, *(_found(read(f"accuracy-{name}-{each}")) for each in PROFILES))


def _found(told: Told) -> str:
    recall, precision = 1 - told["leak"]["characters"]["value"], told["precision"]["value"]
    return f"{share(recall)} / {share(precision)}"


def race() -> Iterator[str]:
    """Speed and memory of all."""
    yield from head("one at a time", "many", "many, two cores", "real notes, many", "peak", "load")
    for name, told in read("rivals")["systems"].items():
        made, real = told["speed"]["made notes"], told["speed"]["real notes"]
        speeds = (made["one"], made["many"], made["two_cores"], real["many"])
        peak, load = f"{told['peak_MB']:.0f} MB", f"{told['load_s']:.1f} s"
        yield row(_name(name), *map(rounded, speeds), peak, load)


def found() -> Iterator[str]:
    """Recall and precision of all."""
    systems: Told = read("rivals")["systems"]
    sets = next(iter(systems.values()))["accuracy"]
    yield from head(*(name.removesuffix("_en") for name in sets))
    for name, told in systems.items():
        if name == "presidio-names":  # which finds what presidio does
            continue
        each = (told["accuracy"][which] for which in sets)
        yield row(_name(name), *(f"{share(e['recall'])} / {share(e['precision'])}" for e in each))


def doubts() -> Iterator[str]:
    """What a second look costs and gives, and what a gate would lose."""
    told = read("cascade")
    yield row("doubt from, to, margin", "sent on", "recall / precision", "words/s")
    yield row(*("---",) * 4)
    for band in told["bands"]:
        notes = band["notes"].values()
        sent = ", ".join(f"{one['sent_on']:.3f}" for one in notes)
        speeds = ", ".join(rounded(one["words_per_s"]) for one in notes)
        both = f"{share(band['recall'])} / {share(band['precision'])}"
        yield row(_band(band), sent, both, speeds)
    count = told["gates"][0]["found"]
    lost = ", ".join(f"{gate['lost']} below {gate['low']:g}" for gate in told["gates"])
    spared = " and ".join(
        f"{100 * one['with rules']:.1f} instead of {100 * one['without']:.1f}"
        for one in told["sent_on"].values()
    )
    yield from ("", f"Beside exact rules `balanced` sends on {spared} units in a hundred.")
    yield from ("", f"Of {count:,} identifiers that both find together, there lie wholly: {lost}.")


def _band(band: Told) -> str:
    if band["high"] < 1e-6:
        return "none"
    if band["low"] < 1e-6:
        return "everything"
    return f"{band['low']:g} to {band['high']:g}, {band['margin']}"


def _name(system: str) -> str:
    return RIVALS.get(system) or f"Scrubjay `{system}`"


if __name__ == "__main__":
    main()
