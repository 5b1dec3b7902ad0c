"""Which placeholder stands for which value, in one conversation, and putting values back.

Models bend what they copy: `PERSON_1's`, `person_1`, `【PERSON_1】`, an underscore escaped. All of
these are read; `Person 1` without brackets is not, for it may be a sentence's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import cached_property

from scrubjay.report import Edit

FORM = re.compile(r"\[([A-Z][A-Z_]*)_(\d{1,6})\]")
OPEN = r"(?:\\?\[|&lt;|[<{【「『〔［｛＜〈《«‹(（`\"'])"
CLOSE = r"(?:\\?\]|&gt;|[>}】」』〕］｝＞〉》»›)）`\"'])"
OWN = frozenset("()（）`\"'")  # a writer's own signs, which stay
JOIN = r"(?:\\?[_‗＿-]|\s)"
LONGEST = 64  # characters that a placeholder may have grown to
ENTITY = re.compile(r"&(?:[lg]t?;?)?")
SIGNS = re.compile(r"[^\w]|_")


class Table:
    """Numbers go by label, in the order in which values come. A number that stands in the texts
    already, as if it were one of ours, is never given out: `avoid`."""

    def __init__(self, values: dict[str, str] | None = None) -> None:
        self.values = dict(values or {})  # by placeholder
        self._known = {(_label(key), value): key for key, value in self.values.items()}
        self._taken = {_number(key) for key in self.values}

    def avoid(self, text: str) -> None:
        """Do not use what stands in a text."""
        self._taken.update((found[1], int(found[2])) for found in FORM.finditer(text))

    def pairs(self) -> list[tuple[str, str]]:
        """Labels and values."""
        return list(self._known)

    def placeholder(self, label: str, value: str) -> str:
        """What stands for a value: always the same."""
        if (label, value) not in self._known:
            number = 1
            while (label, number) in self._taken:
                number += 1
            self._taken.add((label, number))
            self._known[label, value] = made = f"[{label}_{number}]"
            self.values[made] = value
            self.__dict__.pop("_pattern", None)
            self.__dict__.pop("_plain", None)
        return self._known[label, value]

    def restored(self, text: str, write: Callable[[str], str] = str) -> str:
        """The text with values in place of placeholders, whatever became of them on the way."""
        return edited(text, self.edits(text, write))

    def edits(self, text: str, write: Callable[[str], str] = str) -> list[Edit]:
        """Where placeholders are in a text, and what comes there."""
        found = self._pattern.finditer(text) if self.values else ()
        told = ((*one.span(), self._value(one, write)) for one in found)
        return [(start, end, new) for start, end, new in told if new is not None]

    def _value(self, found: re.Match[str], write: Callable[[str], str]) -> str | None:
        opened, closed = found["open"] or "", found["close"] or ""
        joined = "_" in found["join"] or "-" in found["join"]
        if not joined and not (opened and closed):
            return None
        label = found["label"].upper()
        value = self.values.get(f"[{_words(label)}_{int(found['number'])}]")
        if value is None:
            return None
        whole = bool(opened and closed) and opened not in OWN and closed not in OWN
        return write(value) if whole else f"{opened}{write(value)}{closed}"

    def held(self, text: str) -> int:
        """Where what may become a placeholder begins, at the end of a text that goes on."""
        start = max(0, len(text) - LONGEST)
        for found in _STARTS.finditer(text, start):
            plain = SIGNS.sub("", ENTITY.sub("", text[found.start() :])).casefold()
            if any(one.startswith(plain) for one in self._plain):
                return found.start()
        return len(text)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        labels = sorted({_label(key) for key in self.values}, key=len, reverse=True)
        told = "|".join(label.replace("_", JOIN) for label in labels)
        return re.compile(
            rf"(?:(?P<open>{OPEN})\s?)?(?<![^\W_])(?P<label>{told})(?P<join>{JOIN})"
            rf"(?P<number>\d{{1,6}})(?!\d)(?:\s?(?P<close>{CLOSE}))?",
            re.I,
        )

    @cached_property
    def _plain(self) -> frozenset[str]:
        return frozenset(SIGNS.sub("", key).casefold() for key in self.values)

    def __repr__(self) -> str:
        return f"Table({len(self.values)} values)"


_STARTS = re.compile(rf"{OPEN}|[\\&]|(?<![^\W_])[^\W\d_]")


class Restorer:
    """A text that comes in parts, of which a placeholder may be cut by any. `write` makes of a
    value what stands there: within JSON, its escapes."""

    def __init__(self, table: Table, write: Callable[[str], str] = str) -> None:
        self._table, self._write = table, write
        self._left = ""
        self._within = ""  # a letter, while the text before ends within a word
        self._past = 0  # characters that were told
        self._edits: list[Edit] = []

    def feed(self, text: str) -> str:
        """What can be told now."""
        self._left += text
        return self._told(self._table.held(self._within + self._left) - len(self._within))

    def rest(self) -> str:
        """What was held back, at the end."""
        return self._told(len(self._left))

    def moved(self, at: int) -> int:
        """Where a place in the text that came is in the text that is told."""
        return moved([*self._edits, *self._found(self._left)], at)

    def _told(self, end: int) -> str:
        told, self._left = self._left[:end], self._left[end:]
        found = self._found(told)
        self._edits += found
        text = edited(
            told, [(start - self._past, stop - self._past, new) for start, stop, new in found]
        )
        self._past += len(told)
        if told:
            self._within = "x" if told[-1].isalnum() else ""
        return text

    def _found(self, text: str) -> list[Edit]:
        """Edits in what comes next, by their places in all of the text."""
        shift = self._past - len(self._within)
        found = self._table.edits(self._within + text, self._write)
        return [(start + shift, end + shift, new) for start, end, new in found]


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with others in these places."""
    parts: list[str] = []
    last = 0
    for start, end, new in edits:
        parts += text[last:start], new
        last = end
    return "".join([*parts, text[last:]])


def moved(edits: Iterable[Edit], at: int) -> int:
    """Where a place in a text is once it is edited; one within an edit is then at its end."""
    told = at
    for start, end, new in edits:
        if start < at:
            told += len(new) - (end - start) + max(0, end - at)
    return told


def quoted(value: str) -> str:
    """A value as it stands inside a JSON string."""
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _label(placeholder: str) -> str:
    return placeholder[1:-1].rpartition("_")[0]


def _number(placeholder: str) -> tuple[str, int]:
    label, _, number = placeholder[1:-1].rpartition("_")
    return label, int(number)


def _words(label: str) -> str:
    return re.sub(rf"{JOIN}", "_", label)
