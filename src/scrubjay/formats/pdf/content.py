"""Walks the operators of a page: which glyphs stand where, which pictures, and the same operators
again without the glyphs that go. Every operator and operand that goes on is known by its kind;
anything else is a doubt, and then the page is drawn as a picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pikepdf
from msgspec import Struct
from pikepdf import Array, Name, Operator, String

from scrubjay.errors import InputError
from scrubjay.formats.layout import Sign
from scrubjay.formats.pdf import matrices
from scrubjay.formats.pdf.doubt import Doubt
from scrubjay.formats.pdf.fonts import Font
from scrubjay.formats.pdf.matrices import UNIT, Matrix, Point, Quad

# How many numbers each operator takes.
NUMBERS = {
    "w": 1, "J": 1, "j": 1, "M": 1, "i": 1, "q": 0, "Q": 0, "cm": 6, "m": 2, "l": 2, "c": 6, "v": 4,
    "y": 4, "h": 0, "re": 4, "S": 0, "s": 0, "f": 0, "F": 0, "f*": 0, "B": 0, "B*": 0, "b": 0,
    "b*": 0, "n": 0, "W": 0, "W*": 0, "BT": 0, "ET": 0, "Tc": 1, "Tw": 1, "Tz": 1, "TL": 1, "Tr": 1,
    "Ts": 1, "Td": 2, "TD": 2, "Tm": 6, "T*": 0, "G": 1, "g": 1, "RG": 3, "rg": 3, "K": 4, "k": 4,
}  # fmt: skip
MARKS = {"BMC", "BDC", "EMC", "MP", "DP", "BX", "EX"}
INTENTS = {"/AbsoluteColorimetric", "/RelativeColorimetric", "/Saturation", "/Perceptual"}
DEEPEST = 20
MOST = 5_000_000  # operators of a page, forms counted as often as they are drawn
PICTURES = 500
SHORT = 20.0  # points: what is drawn in strokes shorter than this may be writing
ASCENT, DESCENT = 0.95, -0.25  # of the size: how far a glyph reaches


class Glyph(Struct, frozen=True):
    """One that is shown. `matrix` takes its unit square to the page."""

    sign: Sign
    quad: Quad
    matrix: Matrix


class Placed(Struct, frozen=True):
    """A picture on the page."""

    source: Any
    matrix: Matrix


class _State(Struct):
    """What q keeps and Q brings back."""

    matrix: Matrix
    font: Font | None = None
    size: float = 0.0
    between: float = 0.0  # characters
    words: float = 0.0
    scale: float = 1.0
    leading: float = 0.0
    rise: float = 0.0


class Resources:
    """What the operators of one stream name, copied under names of our own. `copies` makes them."""

    def __init__(self, source: Any, copies: Any) -> None:
        self._source = source
        self._copies = copies
        self._names: dict[tuple[str, str], Name] = {}
        self.made = pikepdf.Dictionary()

    def raw(self, kind: str, name: Any) -> Any:
        """What the file has under a name."""
        try:
            return self._source[f"/{kind}"][str(name)]
        except (KeyError, TypeError, ValueError):
            raise Doubt(f"no {kind} of that name") from None

    def name(self, kind: str, name: Any) -> Any:
        """Our own name of a copy."""
        key = kind, str(name)
        if key not in self._names:
            copy = self._copies.copy(kind, self.raw(kind, name))
            self._names[key] = self.add(kind, copy)
        return self._names[key]

    def add(self, kind: str, copy: Any) -> Any:
        if f"/{kind}" not in self.made:
            self.made[f"/{kind}"] = pikepdf.Dictionary()
        table = self.made[f"/{kind}"]
        name = Name(f"/{kind[0]}{len(table.keys())}")
        table[str(name)] = copy
        return name


class Walk:
    """One pass over a page. `removed` are the glyphs that go, by their order; `copies` makes what
    the operators name; `picture(placed)` gives what is put in a picture's place."""

    def __init__(
        self,
        copies: Any,
        removed: frozenset[int] | set[int] = frozenset(),
        picture: Callable[[Placed], Any] | None = None,
        hidden: bool = False,
    ) -> None:
        self._copies = copies
        self._removed = removed
        self._picture = picture
        self._hidden = hidden
        self.glyphs: list[Glyph] = []
        self.shown = 0  # how many glyphs
        self.unread: list[int] = []  # glyphs without a text
        self.pictures: list[Placed] = []
        self.strokes = 0  # short ones
        self._steps = 0
        self.fonts: set[Font] = set()

    def stream(
        self, content: Any, source: Any, matrix: Matrix = UNIT, depth: int = 0
    ) -> tuple[bytes, Any]:
        """The operators of one stream again, and its resources."""
        if depth > DEEPEST:
            raise Doubt("forms within forms")
        resources = Resources(source, self._copies)
        run = _Run(self, resources, _State(matrix), depth)
        for instruction in pikepdf.parse_content_stream(content):
            self._steps += 1
            if self._steps > MOST:
                raise InputError(f"a page of more than {MOST} operators")
            run.step(instruction)
        run.made += [([], Operator("Q"))] * len(run.stack)
        return pikepdf.unparse_content_stream(run.made), resources.made


class _Run:
    """The state of one stream's walk."""

    def __init__(self, walk: Walk, resources: Resources, state: _State, depth: int) -> None:
        self.walk = walk
        self.resources = resources
        self.state = state
        self.depth = depth
        self.made: list[Any] = []
        self.stack: list[_State] = []
        self.text: Matrix = UNIT
        self.line: Matrix = UNIT
        self.point: Point = (0.0, 0.0)

    def step(self, instruction: Any) -> None:
        if isinstance(instruction, pikepdf.ContentStreamInlineImage):
            self._show_picture(instruction.iimage)
            return
        name, operands = str(instruction.operator), list(instruction.operands)
        if name in MARKS:
            if self.walk._hidden and operands and operands[0] == "/OC":
                raise Doubt("a layer that may be hidden")
            return
        if name == "Q" and not self.stack:
            return
        if name in NUMBERS:
            self._numbers(name, operands)
            self.made.append((operands, Operator(name)))
            return
        handle = getattr(self, _NAMED.get(name, ""), None)
        if handle is None:
            raise Doubt("an operator that is not known")
        handle(name, operands)

    # Operators that take numbers

    def _numbers(self, name: str, operands: list[Any]) -> None:
        if len(operands) != NUMBERS[name] or any(_no_number(one) for one in operands):
            raise Doubt(f"operands of {name}")
        numbers = [float(one) for one in operands]
        state = self.state
        if name == "q":
            self.stack.append(_copy(state))
        elif name == "Q":
            self.state = self.stack.pop()
        elif name == "cm":
            state.matrix = matrices.times(_matrix(numbers), state.matrix)
        elif name == "BT":
            self.text = self.line = UNIT
        elif name in _STATES:
            scale = 0.01 if name == "Tz" else 1.0
            setattr(state, _STATES[name], numbers[0] * scale)
        elif name in {"Td", "TD"}:
            if name == "TD":
                state.leading = -numbers[1]
            self._next_line(*numbers)
        elif name == "Tm":
            self.text = self.line = _matrix(numbers)
        elif name == "T*":
            self._next_line(0.0, -state.leading)
        elif name in {"m", "l", "c", "v", "y", "re"}:
            self._stroke(name, numbers)

    def _next_line(self, x: float, y: float) -> None:
        self.line = matrices.times((1.0, 0.0, 0.0, 1.0, x, y), self.line)
        self.text = self.line

    def _stroke(self, name: str, numbers: list[float]) -> None:
        matrix = self.state.matrix
        if name == "re":
            size = math.hypot(numbers[2] * matrix[0], numbers[3] * matrix[3])
            self.walk.strokes += size < SHORT
            return
        point = matrices.at(matrix, *numbers[-2:])
        if name != "m":
            self.walk.strokes += math.dist(point, self.point) < SHORT
        self.point = point

    # Operators that name something

    def _font(self, name: str, operands: list[Any]) -> None:
        if len(operands) != 2 or _no_number(operands[1]):
            raise Doubt("operands of Tf")
        self.state.font = self.walk._copies.font(self.resources.raw("Font", operands[0]))
        self.state.size = float(operands[1])
        ours = self.resources.name("Font", operands[0])
        self.made.append(([ours, operands[1]], Operator("Tf")))

    def _shading(self, name: str, operands: list[Any]) -> None:
        self.made.append(([self.resources.name("Shading", *operands)], Operator(name)))

    def _graphics(self, name: str, operands: list[Any]) -> None:
        """A state; its mask is a form, with all that a form may show."""
        source = self.resources.raw("ExtGState", *operands)
        mask = source.get("/SMask")
        if isinstance(mask, pikepdf.Dictionary):
            made = self.walk._copies.state(source, mask, self._form_copy(mask.G))
            ours = self.resources.add("ExtGState", made)
        else:
            ours = self.resources.name("ExtGState", *operands)
        self.made.append(([ours], Operator(name)))

    def _space(self, name: str, operands: list[Any]) -> None:
        if len(operands) != 1 or not isinstance(operands[0], Name):
            raise Doubt(f"operands of {name}")
        space = operands[0]
        if str(space) == "/Pattern":
            ours: Any = space
        else:
            plain = self.walk._copies.space(space, self.resources)
            ours = Name(plain)
        self.made.append(([ours], Operator(name)))

    def _colour(self, name: str, operands: list[Any]) -> None:
        numbers = operands[:-1] if operands and isinstance(operands[-1], Name) else operands
        if any(_no_number(one) for one in numbers):
            raise Doubt(f"operands of {name}")
        made = list(numbers)
        if len(numbers) < len(operands):
            made.append(self.resources.name("Pattern", operands[-1]))
        self.made.append((made, Operator(name)))

    def _intent(self, name: str, operands: list[Any]) -> None:
        if len(operands) == 1 and str(operands[0]) in INTENTS:
            self.made.append((operands, Operator(name)))

    def _dashes(self, name: str, operands: list[Any]) -> None:
        fine = len(operands) == 2 and isinstance(operands[0], Array)
        if not fine or any(_no_number(one) for one in (*operands[0], operands[1])):
            raise Doubt("operands of d")
        self.made.append((operands, Operator(name)))

    # Pictures and forms

    def _object(self, name: str, operands: list[Any]) -> None:
        source = self.resources.raw("XObject", operands[0])
        if self.walk._hidden and "/OC" in source:
            raise Doubt("a layer that may be hidden")
        if str(source.get("/Subtype")) == "/Image":
            self._show_picture(source)
        elif str(source.get("/Subtype")) == "/Form":
            made = self._form_copy(source)
            self.made.append(([self.resources.add("XObject", made)], Operator("Do")))
        else:
            raise Doubt("an object that is neither picture nor form")

    def _show_picture(self, source: Any) -> None:
        placed = Placed(source, self.state.matrix)
        self.walk.pictures.append(placed)
        if len(self.walk.pictures) > PICTURES:
            raise Doubt("very many pictures")
        if self.walk._picture is not None:
            name = self.resources.add("XObject", self.walk._picture(placed))
            self.made.append(([name], Operator("Do")))

    def _form_copy(self, source: Any) -> Any:
        own = _matrix([float(x) for x in source.get("/Matrix", UNIT)])
        matrix = matrices.times(own, self.state.matrix)
        inherited = source.get("/Resources", self.resources._source)
        data, resources = self.walk.stream(source, inherited, matrix, self.depth + 1)
        return self.walk._copies.form(source, data, resources)

    # Text

    def _show(self, name: str, operands: list[Any]) -> None:
        if name == '"' and len(operands) == 3:
            for key, value in zip(("Tw", "Tc"), operands[:2], strict=True):
                self._numbers(key, [value])
                self.made.append(([value], Operator(key)))
        if name in {"'", '"'}:
            self._numbers("T*", [])
            self.made.append(([], Operator("T*")))
        if not operands:
            raise Doubt(f"operands of {name}")
        items = list(operands[-1]) if name == "TJ" else [operands[-1]]
        made = list(_joined(self._shown(items)))
        self.made.append(([Array(made)], Operator("TJ")))

    def _shown(self, items: list[Any]) -> Iterator[bytes | float]:
        state = self.state
        if state.font is None or not state.size:
            raise Doubt("text without a font")
        self.walk.fonts.add(state.font)
        for item in items:
            if not isinstance(item, String):
                if _no_number(item):
                    raise Doubt("operands of TJ")
                self._move(-float(item) / 1000 * state.size * state.scale)
                yield float(item)
                continue
            for data, code in state.font.codes(bytes(item)):
                yield self._glyph(state, data, code)

    def _glyph(self, state: _State, data: bytes, code: int) -> bytes | float:
        """The code again, or the space that its glyph took."""
        font = state.font
        assert font is not None  # noqa: S101 - for the type checker
        width = font.width(code) / 1000 * state.size
        advance = width + state.between + (state.words if data == b" " else 0.0)
        index = self.walk.shown
        text = font.text(code)
        self.walk.shown += 1
        if self.walk._picture is None:  # who writes knows the places already
            self.walk.glyphs.append(self._placed(state, text, width))
        if not text:
            self.walk.unread.append(index)
        self._move(advance * state.scale)
        if index in self.walk._removed:
            return -advance * 1000 / state.size
        font.kept[code] = text
        return data

    def _move(self, x: float) -> None:
        self.text = matrices.times((1.0, 0.0, 0.0, 1.0, x, 0.0), self.text)

    def _placed(self, state: _State, text: str, width: float) -> Glyph:
        whole = matrices.times(
            (state.size * state.scale, 0.0, 0.0, state.size, 0.0, state.rise),
            matrices.times(self.text, state.matrix),
        )
        wide = width / state.size
        quad = matrices.box(whole, min(0.0, wide), DESCENT, max(0.0, wide), ASCENT)
        turn = matrices.turn(whole)
        cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        x, y = whole[4:]
        length = math.hypot(whole[0], whole[1]) * wide
        height = math.hypot(whole[2], whole[3])
        sign = Sign(text or "\ufffd", x * cos + y * sin, y * cos - x * sin, length, height, turn)
        return Glyph(sign, quad, whole)


_STATES = {"Tc": "between", "Tw": "words", "Tz": "scale", "TL": "leading", "Ts": "rise"}
_NAMED = {
    "Tf": "_font", "gs": "_graphics", "sh": "_shading", "cs": "_space", "CS": "_space",
    "sc": "_colour", "SC": "_colour", "scn": "_colour", "SCN": "_colour", "ri": "_intent",
    "d": "_dashes", "Do": "_object", "Tj": "_show", "TJ": "_show", "'": "_show", '"': "_show",
}  # fmt: skip


def _joined(items: Iterator[bytes | float]) -> Iterator[Any]:
    """Codes that touch as one string, numbers that touch as one number."""
    last: bytes | float | None = None
    for item in items:
        if last is not None and isinstance(item, bytes) == isinstance(last, bytes):
            last = last + item  # type: ignore[operator]
            continue
        if last is not None:
            yield _operand(last)
        last = item
    if last is not None:
        yield _operand(last)


def _operand(item: bytes | float) -> Any:
    return String(item) if isinstance(item, bytes) else round(item, 3)


def _no_number(value: Any) -> bool:
    try:
        return isinstance(value, bool) or not abs(float(value)) < 1e9
    except (TypeError, ValueError):
        return True


def _matrix(numbers: list[float]) -> Matrix:
    a, b, c, d, e, f = numbers
    return a, b, c, d, e, f


def _copy(state: _State) -> _State:
    return _State(*(getattr(state, name) for name in _State.__struct_fields__))
