"""One PDF: its pages read, then written."""

from __future__ import annotations

import io
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

import pikepdf
from msgspec import Struct, field
from pikepdf import Array, Dictionary

from scrubjay.errors import InputError
from scrubjay.formats import layout, pixels
from scrubjay.formats.layout import Change, Script, View
from scrubjay.formats.ocr import Word
from scrubjay.formats.pdf import apart, beside, boxes, copies, fields, matrices, pictures
from scrubjay.formats.pdf.content import Glyph, Placed, Walk
from scrubjay.formats.pdf.copies import Copies
from scrubjay.formats.pdf.doubt import Doubt
from scrubjay.formats.pdf.fonts import Font
from scrubjay.formats.pdf.matrices import Matrix, Point, Quad
from scrubjay.formats.pixels import BROKEN, Polygon
from scrubjay.formats.work import Work

STROKES = 30  # short ones, from which on there may be writing among them
UNSURE = (Doubt, *BROKEN, pikepdf.PdfError)


class _Page(Struct):
    """What is known of a page: whether it goes on as a picture, and writing among its strokes."""

    number: int
    drawn: bool = False
    strokes: frozenset[int] = frozenset()  # words that are no glyph's and no picture's
    fields: list[int] = field(default_factory=list)  # of each, the first of its signs


class Book:
    """A file on its way. `made` is the new one's bytes."""

    def __init__(self, pdf: pikepdf.Pdf, work: Work) -> None:
        form = "/AcroForm" in pdf.Root
        whole = _whole(pdf) if form else b""
        self._fields = fields.take(pdf) if form else {}
        beside.tell(pdf, work)
        self._work = work
        self._old = pdf
        self._links = list(beside.links(pdf))
        self._titles = list(beside.titles(pdf))
        flat = _flat(pdf)
        self._hidden = _hides(pdf)
        self._fonts: dict[Any, Font] = {}
        self._script = Script()
        self._words: dict[Hashable, list[Word]] = {}
        self._sizes: dict[Hashable, tuple[int, int]] = {}
        self._changes: dict[Hashable, list[Change]] = {}
        self._new = pikepdf.new()
        self._copies = Copies(self._new, {})
        self._made: dict[Hashable, Any] = {}
        self._drawn = apart.opened(flat, work.limits.pixels)  # `made` ends them
        self._seen = apart.opened(whole, work.limits.pixels) if self._fields else self._drawn

    def made(self) -> bytes:
        """All is read, cleaned at once, and written."""
        try:
            pages = [self._read(number) for number in range(len(self._old.pages))]
            self._read_beside()
            self._changes = self._script.clean(self._work)
            for page in pages:
                self._write(page)
                self._fill(page)
            self._copies.finish()
        finally:
            self._drawn.close()
            self._seen.close()
        self._write_beside()
        target = io.BytesIO()
        self._new.save(target, deterministic_id=True, min_version="1.7")
        return target.getvalue()

    # Reading

    def _read(self, number: int) -> _Page:
        page = _Page(number)
        try:
            walk = self._walk(number)
            self._doubt(walk, number)
            for placed in walk.pictures:
                self._read_picture(placed)
        except UNSURE:
            page.drawn = True
            self._work.dropped("text of a page that is now a picture")
            self._add_words(("drawn", number), pixels.words(self._seen.picture(number)))
            self._work.dropped("form field", len(self._fields.pop(number, ())))
            return page
        signs = [glyph.sign for glyph in walk.glyphs]
        for one in self._fields.get(number, ()):
            page.fields.append(len(signs))
            signs += one.signs()
        self._script.add(("text", number), layout.views(signs))
        if walk.strokes >= STROKES:
            page.strokes = self._read_strokes(walk, number)
        return page

    def _walk(self, number: int, **options: Any) -> Walk:
        """A pass that only looks."""
        walk = Walk(Copies(pikepdf.new(), self._fonts), hidden=self._hidden, **options)
        page = self._old.pages[number].obj
        walk.stream(page, page.get("/Resources", Dictionary()))
        return walk

    def _doubt(self, walk: Walk, number: int) -> None:
        """What may be read otherwise than we do."""
        for font in walk.fonts:
            font.check()
        text = "".join(glyph.sign.text for glyph in walk.glyphs)
        if self._drawn.unexplained(number, text):
            raise Doubt("another reader reads more")
        for index in walk.unread:
            around = walk.glyphs[max(0, index - 1) : index + 2]
            if any(_touch(walk.glyphs[index], other) for other in around):
                raise Doubt("signs without a meaning")
        places = [_bounds(matrices.box(placed.matrix, 0, 0, 1, 1)) for placed in walk.pictures]
        for index, place in enumerate(places):
            if any(_meet(place, other) for other in places[:index]):
                raise Doubt("pictures that make up one")

    def _read_picture(self, placed: Placed) -> None:
        a, b, c, d, _, _ = placed.matrix
        if a * d - b * c <= 0:
            raise Doubt("a picture in a mirror")
        key = _key(placed.source)
        if key in self._words:
            return
        picture = pictures.decoded(placed.source, self._work.limits.pixels)
        self._sizes[key] = picture.image.size
        words = pixels.words(picture.image.convert("RGB"))
        if picture.mask is not None:
            words += _scaled(pixels.words(picture.mask), picture.mask.size, picture.image.size)
        self._add_words(key, words)

    def _add_words(self, owner: Hashable, words: list[Word]) -> None:
        self._work.dropped("unreadable writing", sum(word.unread for word in words))
        self._words[owner] = words
        self._script.add(owner, pixels.views(words))

    def _read_strokes(self, walk: Walk, number: int) -> frozenset[int]:
        """Words on the drawn page that are neither glyphs nor of a picture."""
        image = self._drawn.picture(number)
        words = pixels.words(image)
        place = _drawn_to_page(self._old.pages[number], image.size)
        known = [matrices.box(placed.matrix, 0, 0, 1, 1) for placed in walk.pictures]
        middles = [_middle(glyph.quad) for glyph in walk.glyphs]
        strange = set()
        for index, word in enumerate(words):
            if not (word.unread or any(map(str.isalnum, word.text))):
                continue  # a bullet
            a, b, c, d = (matrices.at(place, *corner) for corner in word.quad)
            quad: Quad = (a, b, c, d)
            if any(matrices.inside(_middle(quad), other) for other in known):
                continue
            if not any(matrices.inside(middle, quad) for middle in middles):
                strange.add(index)
        if strange:
            self._words["strokes", number] = words
            self._script.add(("strokes", number), pixels.views(words))
        return frozenset(strange)

    def _read_beside(self) -> None:
        for index, link in enumerate(self._links):
            self._script.add(("link", index), [_line(link.address)])
        for index, title in enumerate(self._titles):
            self._script.add(("title", index), [_line(title.text)])
        for number, every in self._fields.items():
            for index, one in enumerate(every):
                self._script.add(("field", number, index), [one.view()])
                for place, told in enumerate([one.hint, *one.options]):
                    self._script.add(("said", number, index, place), [_line(told)])

    # Writing

    def _write(self, page: _Page) -> None:
        touched = {index for c in self._changed("strokes", page.number) for index in c.signs}
        unread = self._words.get(("strokes", page.number), [])
        lost = any(unread[index].unread for index in page.strokes)
        if page.drawn:
            self._write_drawn(page.number, ("drawn", page.number))
        elif lost or touched & page.strokes:
            self._work.dropped("text of a page that is now a picture")
            self._write_drawn(page.number, ("strokes", page.number))
        else:
            self._write_text(page.number)

    def _changed(self, *owner: Hashable) -> list[Change]:
        return self._changes.get(owner, [])

    def _write_drawn(self, number: int, owner: tuple[str, int]) -> None:
        seen = self._seen if owner[0] == "drawn" else self._drawn
        image = seen.picture(number)
        gone = pixels.gone(self._words[owner], self._changes.get(owner, ()))
        size = seen.size(number)
        page = self._new.add_blank_page(page_size=size)
        picture = pictures.page(self._new, pixels.filled(image, gone))
        page.Resources = Dictionary(XObject=Dictionary(P=picture))
        data = f"q {size[0]:.4f} 0 0 {size[1]:.4f} 0 0 cm /P Do Q"
        page.Contents = self._new.make_stream(data.encode("ascii"))

    def _write_text(self, number: int) -> None:
        walk = self._walk(number)
        changes = list(_within(self._changed("text", number), 0, len(walk.glyphs)))
        removed = {index for change in changes for index in change.signs}
        painted = [self._painted(placed) for placed in walk.pictures]
        for index, glyph in enumerate(walk.glyphs):
            middle = _middle(glyph.quad)
            if any(matrices.inside(middle, quad) for quads in painted for quad in quads):
                removed.add(index)
        quads = [walk.glyphs[index].quad for index in removed]

        def picture(placed: Placed) -> Any:
            return self._picture(placed, quads)

        again = Walk(self._copies, removed, picture, hidden=self._hidden)
        old = self._old.pages[number].obj
        data, resources = again.stream(old, old.get("/Resources", Dictionary()))
        if over := list(boxes.of(walk.glyphs, changes)):
            data = b"q\n" + data + b"\nQ\n" + boxes.drawn(over)
            if "/Font" not in resources:
                resources.Font = Dictionary()
            resources.Font.Box = boxes.font()
        self._add_page(number, data, resources)

    def _add_page(self, number: int, data: bytes, resources: Any) -> None:
        old = self._old.pages[number]
        page = self._new.add_blank_page()
        page.MediaBox = _numbers(old.mediabox)
        page.CropBox = _numbers(old.cropbox)
        page.Rotate = int(old.obj.get("/Rotate", 0))
        page.UserUnit = float(old.obj.get("/UserUnit", 1))
        if "/Group" in old.obj:
            page.Group = copies.group(old.obj.Group)
        page.Resources = resources
        page.Contents = self._new.make_stream(data)

    def _fill(self, page: _Page) -> None:
        """Its fields become clean: of what the page tells, and what their names do."""
        told = self._changed("text", page.number)
        for index, one in enumerate(self._fields.get(page.number, ())):
            first, owner = page.fields[index], (page.number, index)
            one.hint, *one.options = (
                _new_line(said, self._changed("said", *owner, place))
                for place, said in enumerate([one.hint, *one.options])
            )
            if one.kind != "/Btn":
                within = _within(told, first, first + len(one.value))
                one.value = _new_line(one.value, [*within, *self._changed("field", *owner)])

    def _painted(self, placed: Placed) -> list[Quad]:
        """What is painted over in a picture, on the page."""
        key = _key(placed.source)
        place = matrices.times(_unit(self._sizes[key]), placed.matrix)
        made = []
        for polygon in pixels.gone(self._words[key], self._changes.get(key, ())):
            a, b, c, d = (matrices.at(place, x, y) for x, y in polygon)
            made.append((a, b, c, d))
        return made

    def _picture(self, placed: Placed, quads: list[Quad]) -> Any:
        """The picture without its own values and those of the glyphs that lie on it."""
        key = _key(placed.source)
        polygons: list[Polygon] = pixels.gone(self._words[key], self._changes.get(key, ()))
        back = matrices.back(matrices.times(_unit(self._sizes[key]), placed.matrix))
        width, height = self._sizes[key]
        frame: Quad = ((0, 0), (width, 0), (width, height), (0, height))
        for quad in quads:
            inner = [matrices.at(back, *corner) for corner in quad]
            if _meet(_bounds(inner), _bounds(frame)):
                polygons.append(inner)
        known = (key, tuple(tuple(polygon) for polygon in polygons))
        if known not in self._made:
            picture = pictures.decoded(placed.source, self._work.limits.pixels)
            self._made[known] = pictures.encoded(self._new, picture, polygons)
        return self._made[known]

    def _write_beside(self) -> None:
        links = self._new_lines("link", [link.address for link in self._links])
        titles = self._new_lines("title", [title.text for title in self._titles])
        beside.add_links(self._new, self._links, links, self._work)
        beside.add_titles(self._new, self._titles, titles)
        fields.add(self._new, [one for every in self._fields.values() for one in every])
        beside.add_files(self._old, self._new, self._work)

    def _new_lines(self, kind: str, texts: list[str]) -> list[str]:
        return [_new_line(text, self._changed(kind, i)) for i, text in enumerate(texts)]


def _within(changes: Iterable[Change], first: int, end: int) -> Iterator[Change]:
    """What changes of the signs between, counted from the first."""
    for change in changes:
        if signs := [index - first for index in change.signs if first <= index < end]:
            yield Change(signs, change.text)


def _whole(pdf: pikepdf.Pdf) -> bytes:
    """The file as it is seen, with its fields, for pages that become pictures."""
    copy = io.BytesIO()
    pdf.save(copy, fix_metadata_version=False)
    with pikepdf.open(copy, suppress_warnings=True) as other:
        return _flat(other)


def _flat(pdf: pikepdf.Pdf) -> bytes:
    """The file, of whose pages its annotations are a part now."""
    if "/Metadata" in pdf.Root:  # reading it, pikepdf logs what it cannot read
        del pdf.Root.Metadata
    pdf.generate_appearance_streams()
    pdf.flatten_annotations("all")
    for page in pdf.pages:  # of those that are left, none is seen
        page.obj.Annots = Array()
    flat = io.BytesIO()
    pdf.save(flat)
    return flat.getvalue()


def _hides(pdf: pikepdf.Pdf) -> bool:
    """Whether some layers are not shown."""
    layers: Any = pdf.Root.get("/OCProperties", Dictionary()).get("/D", Dictionary())
    return bool(len(layers.get("/OFF", []))) or str(layers.get("/BaseState", "")) == "/OFF"


def _key(source: Any) -> Hashable:
    """What tells a picture from others."""
    if isinstance(source, pikepdf.PdfInlineImage):
        return "inline", bytes(source.unparse())
    return "picture", source.objgen


def _unit(size: tuple[int, int]) -> Matrix:
    """Pixels of a picture in its unit square, which grows upwards."""
    return 1 / size[0], 0.0, 0.0, -1 / size[1], 0.0, 1.0


def _drawn_to_page(page: pikepdf.Page, size: tuple[int, int]) -> Matrix:
    """Pixels of a drawn page in its own measure."""
    left, bottom, right, top = (float(x) for x in page.cropbox)
    width, height = right - left, top - bottom
    unit = _unit(size)
    turned: Matrix = {
        0: (width, 0.0, 0.0, height, left, bottom),
        90: (0.0, height, -width, 0.0, right, bottom),
        180: (-width, 0.0, 0.0, -height, right, top),
        270: (0.0, -height, width, 0.0, left, top),
    }[int(page.obj.get("/Rotate", 0)) % 360]
    return matrices.times(unit, turned)


def _scaled(words: list[Word], one: tuple[int, int], other: tuple[int, int]) -> list[Word]:
    x, y = other[0] / one[0], other[1] / one[1]
    made = []
    for word in words:
        a, b, c, d = ((px * x, py * y) for px, py in word.quad)
        made.append(Word(word.text, (a, b, c, d), word.unread))
    return made


def _middle(quad: Quad) -> Point:
    return sum(x for x, _ in quad) / 4, sum(y for _, y in quad) / 4


def _bounds(points: Iterable[Point]) -> tuple[float, float, float, float]:
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two boxes overlap or touch."""
    return (
        one[0] <= other[2] + 1
        and other[0] <= one[2] + 1
        and one[1] <= other[3] + 1
        and other[1] <= one[3] + 1
    )


def _touch(glyph: Glyph, other: Glyph) -> bool:
    """Whether an unknown sign is part of a word."""
    if glyph is other or not (other.sign.text == "\ufffd" or other.sign.text[:1].isalnum()):
        return False
    if abs(glyph.sign.across - other.sign.across) > glyph.sign.height / 2:
        return False
    first, last = sorted((glyph.sign, other.sign), key=lambda sign: sign.along)
    return last.along - first.along - first.length < 0.18 * glyph.sign.height


def _line(text: str) -> View:
    """A text of which each character is a sign."""
    places = list(range(len(text) + 1))
    return View(text, places[:-1], places[1:], places[:-1])


def _new_line(text: str, changes: Iterable[Change]) -> str:
    """The text as it became."""
    signs = list(text)
    for change in changes:
        for index in change.signs:
            signs[index] = ""
        signs[change.signs[0]] = change.text
    return "".join(signs)


def _numbers(values: Any) -> Array:
    made = Array([round(float(value), 4) for value in values])
    if len(made) != 4:
        raise InputError("a page without four sides")
    return made
