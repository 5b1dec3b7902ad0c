r"""The first bytes of every match of a regex, as regexes of fixed width.

`\b(?:dr|prof)\. [A-Z]` with five bytes to go by begins with `\bdr\. [A-Z]` or `\bprof\.`. A scanner
that looks for those reports ends only: a match starts `width` bytes before, and its search for
starts, half its work, is saved. Places inside (`\b`, `$`) are passed over: a beginning may occur
where no match is, never the other way round.
"""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from msgspec import Struct

from scrubjay.detectors.bytewise import ATOM

WIDTHS = (4, 5, 6, 8)  # the last of these that can be spelt in LONGEST characters
LONGEST = 1000
BROAD = 18  # bytes in a class that is no help in finding anything
Bytes = frozenset[int]


class One(Struct, eq=False):
    """One byte out of several."""

    of: Bytes


class Place(Struct, eq=False):
    """Between two bytes: a border of a word, the start of a line."""

    regex: str


class Either(Struct, eq=False):
    """One of several."""

    of: tuple[Node, ...]


class Row(Struct, eq=False):
    """One after the other."""

    of: tuple[Node, ...]


class Repeat(Struct, eq=False):
    """From `least` to `most` times; -1 is without limit."""

    of: Node
    least: int
    most: int


Node = One | Place | Either | Row | Repeat
Rest = tuple[Node, ...]  # what is still to match
Way = tuple[Bytes, Rest]  # a byte, and what may follow it
Spelt = dict[int, str]  # by width


class _TooLong(Exception):
    """This width takes more characters than it is worth."""


def beginnings(regex: str, ignore_case: bool) -> Spelt:
    """The widest beginnings that are still short to spell; none where a match may be empty."""
    first: dict[tuple[str, ...], set[Way]] = defaultdict(set)
    for places, way in _steps((parse(regex, ignore_case),)):
        if way is None:
            return {}
        first[places].add(way)
    best: Spelt = {}
    with contextlib.suppress(_TooLong):
        for width in WIDTHS:
            best = _all(first, width)
    return best


def _all(first: dict[tuple[str, ...], set[Way]], width: int) -> Spelt:
    known: dict[object, Spelt] = {}
    found: dict[int, list[str]] = defaultdict(list)
    for places, ways in first.items():
        for size, regex in _spell(frozenset(ways), width, known).items():
            found[size].append("".join(places) + regex)
    return {size: _joined(regexes) for size, regexes in found.items()}


def _joined(regexes: list[str]) -> str:
    joined = regexes[0] if len(regexes) == 1 else f"(?:{'|'.join(sorted(regexes))})"
    if len(joined) > LONGEST:
        raise _TooLong
    return joined


def _spell(ways: frozenset[Way], width: int, known: dict[object, Spelt]) -> Spelt:
    """Bytes that lead on alike share a class; what follows is spelt once for all of them."""
    key = ways, width
    if key in known:
        return known[key]
    alike: dict[tuple[tuple[int, str], ...], Bytes] = defaultdict(frozenset)
    for some, rests in _parted(ways):
        alike[tuple(sorted(_tails(rests, width - 1, known).items()))] |= some
    found: dict[int, list[str]] = defaultdict(list)
    for tails, some in alike.items():
        for size, regex in tails:
            found[size + 1].append(_spelt(some) + regex)
    known[key] = {size: _joined(regexes) for size, regexes in found.items()}
    return known[key]


def _parted(ways: Iterable[Way]) -> list[tuple[Bytes, frozenset[Rest]]]:
    """The bytes in groups that do not overlap, each with all that may follow it."""
    rests: dict[Bytes, set[Rest]] = defaultdict(set)
    for some, rest in ways:
        rests[some].add(rest)
    groups: list[tuple[Bytes, frozenset[Rest]]] = []
    for some, ends in rests.items():
        left, after = some, frozenset(ends)
        parted = []
        for group, known in groups:
            both = group & left
            if not both:
                parted.append((group, known))
                continue
            parted.append((both, known | after))
            if both != group:
                parted.append((group - both, known))
            left -= both
        groups = [*parted, (left, after)] if left else parted
    return groups


def _tails(rests: Iterable[Rest], width: int, known: dict[object, Spelt]) -> Spelt:
    ways: set[Way] = set()
    for rest in rests if width else ():
        for _, way in _steps(rest):
            if way is None:  # a match may end here: this much tells of all longer ones
                return {0: ""}
            ways.add(way)
    return _spell(frozenset(ways), width, known) if ways else {0: ""}


def _steps(rest: Rest) -> Iterator[tuple[tuple[str, ...], Way | None]]:
    """Each way on, and the places that it passes first; None for the end."""
    if not rest:
        yield (), None
        return
    node, rest = rest[0], rest[1:]
    if isinstance(node, One):
        yield (), (node.of, rest)
    elif isinstance(node, Place):
        yield from (((node.regex, *places), way) for places, way in _steps(rest))
    elif isinstance(node, Row):
        yield from _steps(node.of + rest)
    elif isinstance(node, Either):
        for one in node.of:
            yield from _steps((one, *rest))
    else:
        fewer = _fewer(node)
        if node.least:
            yield from _steps((node.of, fewer, *rest))
            return
        yield from _steps(rest)
        for places, way in _steps((node.of,)) if node.most else ():
            if way:
                yield places, (way[0], (*way[1], fewer, *rest))


@lru_cache(4096)
def _fewer(node: Repeat) -> Repeat:
    return Repeat(node.of, max(node.least - 1, 0), node.most - (node.most > 0))


def longest(node: Node) -> int | None:
    """The most bytes that a match can have; None without limit."""
    if isinstance(node, One | Place):
        return int(isinstance(node, One))
    if isinstance(node, Repeat):
        once = longest(node.of)
        return None if once is None or node.most < 0 else once * node.most
    sizes = [longest(one) for one in node.of]
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        return None
    return max(known) if isinstance(node, Either) else sum(known)


def core(node: Node) -> str:
    """What every match holds, without what it may begin or end with."""
    return _written(_trimmed(_trimmed(node, 0), -1))


def kernel(node: Node) -> str:
    """The core without what is all over any text, too: `@` and what follows for an address."""
    nodes = _flat(_trimmed(_trimmed(node, 0), -1))
    for side in (0, -1):
        while nodes and (_broad(nodes[side]) or _broad_behind_place(nodes, side)):
            nodes = _flat(_trimmed(Row(tuple(nodes[1:] if side == 0 else nodes[:-1])), side))
    found = any(not isinstance(node, Place) for node in nodes)
    return "".join(map(_written, nodes)) if found else ""


def _flat(node: Node) -> list[Node]:
    return [one for part in node.of for one in _flat(part)] if isinstance(node, Row) else [node]


def _broad(node: Node) -> bool:
    """Letters, say."""
    while isinstance(node, Repeat):
        node = node.of
    return isinstance(node, One) and len(node.of) > BROAD


def _broad_behind_place(nodes: list[Node], side: int) -> bool:
    next_one = nodes[1 if side == 0 else -2 :][:1]
    return isinstance(nodes[side], Place) and any(map(_broad, next_one))


def _trimmed(node: Node, side: int) -> Node:
    """Less of what is optional on one side: 0 is the left, -1 the right."""
    if isinstance(node, Repeat):
        if node.least == 1:
            return _trimmed(node.of, side)
        return Repeat(node.of, node.least, node.least) if node.least else Row(())
    if isinstance(node, Either):
        return Either(tuple(_trimmed(one, side) for one in node.of))
    if not isinstance(node, Row) or not node.of:
        return node
    last = _trimmed(node.of[side], side)
    rest = node.of[1:] if side == 0 else node.of[:-1]
    if _written(last) == "":
        return _trimmed(Row(rest), side)
    return Row((last, *rest) if side == 0 else (*rest, last))


def _written(node: Node) -> str:
    if isinstance(node, One):
        return _spelt(node.of)
    if isinstance(node, Place):
        return node.regex
    if isinstance(node, Row):
        return "".join(map(_written, node.of))
    if isinstance(node, Either):
        return f"(?:{'|'.join(map(_written, node.of))})"
    times = f"{{{node.least},{node.most if node.most >= 0 else ''}}}"
    return f"(?:{_written(node.of)}){times}" if node.most else ""


# --- reading and writing

_UPPER = frozenset(range(65, 91))
_PLAIN = _UPPER | frozenset(b"0123456789abcdefghijklmnopqrstuvwxyz ")


_TOKEN = re.compile(rf"\\x[0-9A-Fa-f]{{2}}|\(\?[a-z]*:|{ATOM.pattern}", re.DOTALL)
_REPEAT = re.compile(r"[?*+]|\{(\d+)(,?)(\d*)\}")
# Hyperscan sees the texts of a batch as lines: where a text begins or ends, a line does.
ENDS = {r"\A": "(?m:^)", "^": "(?m:^)", r"\z": "(?m:$)", "$": "(?m:$)"}
_PLACES = {r"\b": r"\b", r"\B": r"\B", **ENDS}


def parse(regex: str, ignore_case: bool) -> Node:
    """A regex over bytes, as `bytewise` makes them, as a tree. Where it ignores case all through,
    the tree holds small letters only."""
    return _Reader(regex, ignore_case).group(ignore_case)


class _Reader:
    def __init__(self, regex: str, small: bool) -> None:
        self._regex, self._at = regex, 0
        self._left_out = _UPPER if small else frozenset[int]()

    def group(self, ignore_case: bool) -> Node:
        """As far as the bracket that closes it."""
        rows: list[list[Node]] = [[]]
        while token := _TOKEN.match(self._regex, self._at):
            self._at = token.end()
            if token[0] == ")":
                break
            if token[0] == "|":
                rows.append([])
                continue
            if token[0].startswith("("):
                node = self.group(ignore_case or "i" in token[0])
            elif token[0] in _PLACES:
                node = Place(_PLACES[token[0]])
            else:
                node = One(_bytes(token[0], ignore_case) - self._left_out)
            rows[-1].append(self._repeated(node))
        return Either(tuple(Row(tuple(row)) for row in rows)) if rows[1:] else Row(tuple(rows[0]))

    def _repeated(self, node: Node) -> Node:
        while times := _REPEAT.match(self._regex, self._at):
            self._at = times.end()
            if times[1]:
                least = int(times[1])
                most = int(times[3] or -1) if times[2] else least
            else:
                least, most = int(times[0] == "+"), 1 if times[0] == "?" else -1
            node = Repeat(node, least, most)
        return node


@cache
def _bytes(token: str, ignore_case: bool) -> Bytes:
    spelt = (re.escape(token) if len(token) == 1 else token).encode("ascii")
    one = re.compile(spelt, (re.IGNORECASE if ignore_case else 0) | re.DOTALL)
    return frozenset(byte for byte in range(256) if one.fullmatch(bytes([byte])))


@cache
def _spelt(some: Bytes) -> str:
    """A byte, or a class of bytes."""
    runs: list[list[int]] = []
    for byte in sorted(some):
        if runs and runs[-1][1] == byte - 1:
            runs[-1][1] = byte
        else:
            runs.append([byte, byte])
    spelt = [_char(a) if a == b else f"{_char(a)}-{_char(b)}" for a, b in runs]
    return spelt[0] if len(runs) == 1 and runs[0][0] == runs[0][1] else f"[{''.join(spelt)}]"


def _char(byte: int) -> str:
    return chr(byte) if byte in _PLAIN else f"\\x{byte:02x}"
