"""Reads what is written in a picture: words with their places, by RapidOCR, which brings its models
with it, or by Tesseract (SCRUBJAY_OCR=tesseract, or tesseract:eng+deu), which is faster on clean
scans. Where neither is installed nothing passes: `ExtraError`.
"""

from __future__ import annotations

import csv
import importlib.resources
import io
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from hashlib import sha256
from shutil import which
from typing import Any

import numpy as np
from msgspec import Struct
from PIL import Image

from scrubjay.errors import ExtraError, InputError, UsageError

Point = tuple[float, float]
SECONDS = 300  # that Tesseract may take for one picture
TURNS = {
    180: Image.Transpose.ROTATE_180,  # first: RapidOCR reads what runs down by itself
    90: Image.Transpose.ROTATE_90,
    270: Image.Transpose.ROTATE_270,
}


class Word(Struct, frozen=True):
    """`quad`: its corners, from the top left along the writing. `unread`: there is text, and what
    it says is not known."""

    text: str
    quad: tuple[Point, Point, Point, Point]
    unread: bool = False


Line = list[Word]


_known: ContextVar[dict[bytes, list[Line]] | None] = ContextVar("known", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """For who goes twice through the same pictures: within, each is read once."""
    token = _known.set({})
    try:
        yield
    finally:
        _known.reset(token)


def read(image: Image.Image) -> list[Line]:
    """Every word, whichever way up the picture stands."""
    if (known := _known.get()) is None:
        return _read(image)
    key = sha256(repr((image.mode, image.size)).encode() + image.tobytes()).digest()
    if key not in known:
        known[key] = _read(image)
    return known[key]


def _read(image: Image.Image) -> list[Line]:
    reader = _reader()
    tried = [(0, reader(image))]
    for turn, how in TURNS.items():
        if _clear(tried[-1][1]):
            break
        tried.append((turn, reader(image.transpose(how))))
    turn, best = max(tried, key=lambda one: _sense(one[1]))
    return [[_turned_back(word, turn, image.size) for word in line] for line in best]


def _sense(lines: list[Line]) -> int:
    """How many letters and digits were read for sure."""
    words = [word for line in lines for word in line if not word.unread]
    return sum(c.isalnum() for word in words if len(word.text) > 2 for c in word.text)


def _clear(lines: list[Line]) -> bool:
    """Whether no other way up would make more sense of it."""
    words = [word for line in lines for word in line]
    return bool(words) and sum(word.unread for word in words) * 3 <= len(words)


def _turned_back(word: Word, turn: int, size: tuple[int, int]) -> Word:
    """A word of the turned picture, in the picture. Turns are counter-clockwise, y grows down."""
    width, height = size
    back: Callable[[Point], Point] = {
        0: lambda p: p,
        90: lambda p: (width - p[1], p[0]),
        180: lambda p: (width - p[0], height - p[1]),
        270: lambda p: (p[1], height - p[0]),
    }[turn]
    a, b, c, d = map(back, word.quad)
    return Word(word.text, (a, b, c, d), word.unread)


def _reader() -> Callable[[Image.Image], list[Line]]:
    name, _, languages = os.environ.get("SCRUBJAY_OCR", "rapidocr").partition(":")
    if name == "tesseract":
        return lambda image: _tesseract(image, languages or "eng")
    if name == "rapidocr":
        return _rapid
    raise UsageError(f"SCRUBJAY_OCR={name}: known are rapidocr and tesseract")


# RapidOCR

LONGEST = 1216  # pixels of a side in which writing is looked for
SURE = 0.8  # a line's score; lines that lost letters have come with 0.72


def _rapid(image: Image.Image) -> list[Line]:
    engine = _engine()
    pixels = np.asarray(image.convert("RGB"))[:, :, ::-1]
    small, steps = engine.preprocess_img(pixels)
    places, turns, read, crops = engine.run_ocr_steps(small, steps)
    if places.boxes is None or read.txts is None:
        return []
    lost = [box for box, text in zip(places.boxes, read.txts, strict=True) if not text.strip()]
    scale = np.array([pixels.shape[1] / small.shape[1], pixels.shape[0] / small.shape[0]])
    top = np.array([steps["padding_1"]["left"], steps["padding_1"]["top"]])
    unread = [[Word("", _quad((np.array(box) - top) * scale), unread=True)] for box in lost]
    told = engine.build_final_output(pixels, places, turns, read, crops, steps)
    if told.boxes is None:
        return unread
    words: Any = told.word_results
    if len(words) != len(told.txts):
        words = [()] * len(told.txts)
    lines = zip(told.boxes, told.txts, told.scores, words, strict=True)
    return [_line(_along(box), *line) for box, *line in lines] + unread


@cache
def _engine() -> Any:
    try:
        from rapidocr import RapidOCR
    except ImportError:
        raise ExtraError(
            "there are pictures to read: pip install 'scrubjay[ocr]', or set SCRUBJAY_OCR=tesseract"
            " where that is installed"
        ) from None
    models = importlib.resources.files("rapidocr") / "models"
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.text_score": 0.0,
            "Global.max_side_len": 1 << 15,  # lines are read from the picture as it is
            "Global.use_cls": False,  # it turns good lines over; whole pictures are turned above
            "Global.return_word_box": True,
            "Det.limit_type": "max",  # a small picture is not blown up, which takes a minute
            "Det.limit_side_len": LONGEST,
            "Rec.rec_batch_num": 1,  # lines of one width in a batch: no faster, and more blanks
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,  # threads that wait, spin
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Det.model_path": str(models / "PP-OCRv6_det_small.onnx"),  # named: none is fetched
            "Rec.model_path": str(models / "PP-OCRv6_rec_small.onnx"),
        }
    )


def _along(box: Any) -> Any:
    """The corners from where the writing begins: what is tall was read down its right side."""
    (ax, ay), (bx, by), _, (dx, dy) = box
    tall = np.hypot(dx - ax, dy - ay) >= 1.5 * np.hypot(bx - ax, by - ay)
    return np.roll(np.array(box, float), -1, axis=0) if tall else np.array(box, float)


def _line(box: Any, text: str, score: float, parts: Any) -> Line:
    """A line's words. Each takes half of the blank beside it: places are only known roughly."""
    unread = score < SURE
    told = [(part, np.array(place, float)) for part, _, place in parts or () if place is not None]
    same = "".join(part for part, _ in told) == text.replace(" ", "")
    if not same or len(told) < 2:
        return [Word(text, _quad(box), unread)]
    corners = np.array(box, float)
    start = corners[0] + corners[3]
    way = corners[1] + corners[2] - start
    spans = [_span(place, start / 2, way / 2) for _, place in told]
    borders = [0.0, *((a[1] + b[0]) / 2 for a, b in zip(spans, spans[1:], strict=False)), 1.0]
    return [
        Word(part, _cut(corners, borders[i], borders[i + 1]), unread)
        for i, (part, _) in enumerate(told)
    ]


def _span(place: Any, start: Any, way: Any) -> tuple[float, float]:
    """Where a word begins and ends on its line, of 1."""
    at = (place - start) @ way / max(float(way @ way), 1e-9)
    return float(at.min()), float(at.max())


def _cut(corners: Any, start: float, end: float) -> tuple[Point, Point, Point, Point]:
    top, bottom = corners[1] - corners[0], corners[2] - corners[3]
    return _quad(
        [
            corners[0] + top * start,
            corners[0] + top * end,
            corners[3] + bottom * end,
            corners[3] + bottom * start,
        ]
    )


def _quad(box: Any) -> tuple[Point, Point, Point, Point]:
    a, b, c, d = ((float(x), float(y)) for x, y in box)
    return a, b, c, d


# Tesseract

LEAST = 50  # of a word's confidence, in percent


def _tesseract(image: Image.Image, languages: str) -> list[Line]:
    program = which("tesseract")
    if program is None:
        raise ExtraError("SCRUBJAY_OCR=tesseract, and there is none: apt install tesseract-ocr")
    picture = io.BytesIO()
    image.convert("L").save(picture, "png")
    try:
        told = subprocess.run(  # noqa: S603 - our own words only
            [program, "-", "-", "-l", languages, "--psm", "3", "tsv"],
            input=picture.getvalue(),
            capture_output=True,
            timeout=SECONDS,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            check=True,
        ).stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        raise InputError(f"a picture took Tesseract more than {SECONDS} seconds") from None
    except subprocess.CalledProcessError as problem:
        raise InputError(
            f"Tesseract could not read a picture (exit {problem.returncode})"
        ) from None
    return list(_lines(told))


def _lines(table: str) -> Iterator[Line]:
    line: Line = []
    place: tuple[str, ...] = ()
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["level"] != "5" or not (row["text"] or "").strip():
            continue
        at = (row["block_num"], row["par_num"], row["line_num"])
        if at != place and line:
            yield line
            line = []
        place = at
        x, y, w, h = (float(row[key]) for key in ("left", "top", "width", "height"))
        quad = ((x, y), (x + w, y), (x + w, y + h), (x, y + h))
        line.append(Word(row["text"], quad, float(row["conf"]) < LEAST))
    if line:
        yield line
