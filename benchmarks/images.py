"""Scanned pages: how many a minute on one core, and how much of what identifies is painted over.

    python benchmarks/images.py --presidio-python OTHER/bin/python \\
        --json benchmarks/results/images.json

A page of 39 lines with 36 identifiers is drawn, then made worse: low resolution, noise, turned.
What is measured is the reading and the painting, not the finding: every side is told the
identifiers as words to look for. Ground truth is where they were drawn: one counts as gone when
two thirds of its place are black (the blank between two words may stay). `kept` is the share of
the other writing's place that is not.

Sides: Scrubjay with RapidOCR, Scrubjay with Tesseract where that is installed, and Presidio's image
redactor (Tesseract too; no model, words given as a deny list) in a Python of its own. Seconds are
those of the processor, children included, as the best of `--runs` for each page.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
from PIL import Image, ImageChops, ImageDraw, ImageFont

LINES = (
    "ST. BRIGID HOSPITAL   Discharge summary",
    "",
    "Patient: {Maria Gonzalez}      MRN: {00471183}",
    "Date of birth: {03/14/1952}    SSN {536-90-4399}",
    "Address: {4711 Larkspur Avenue}, ground floor",
    "Phone {(217) 555-0142}   Email {maria.gonzalez@example.org}",
    "",
    "The patient was admitted on {12 March 2024} with chest pain. She was",
    "seen by Dr. {Howard Whitfield} and treated with aspirin 81 mg daily.",
    "Follow-up on {2024-04-02} in the cardiology clinic, second floor.",
    "Account {5523-8871-02}, health plan ID {XWQ884213907}.",
    "",
    "Allergies: penicillin, sulfa. Blood pressure 132/84, pulse 72.",
)
WORDS = [part.partition("}")[0] for line in LINES for part in line.split("{")[1:]]
PAGES = {  # dots an inch, noise, degrees
    "300 dpi": (300, 0, 0),
    "200 dpi": (200, 0, 0),
    "100 dpi": (100, 0, 0),
    "75 dpi": (75, 0, 0),
    "200 dpi, noise": (200, 40, 0),
    "200 dpi, upside down": (200, 0, 180),
}
Redact = Callable[[Image.Image], Image.Image]


def page(dpi: int, noise: int, turn: int) -> tuple[Image.Image, Image.Image, int]:
    """A page; a map of its identifiers (1 to n, other writing 255); how many there are."""
    image = Image.new("L", (int(8.27 * dpi), int(11.69 * dpi)), 255)
    where = Image.new("L", image.size, 0)
    draw, mark = ImageDraw.Draw(image), ImageDraw.Draw(where)
    size = 10.5 * dpi / 72
    font = ImageFont.load_default(size)
    y, count = 0.9 * dpi, 0
    for line in LINES * 3:
        x = 0.8 * dpi
        for part in line.replace("}", "{").split("{"):
            box = draw.textbbox((x, y), part, font=font)
            known = part in WORDS
            count += known
            if part.strip():
                mark.rectangle(box, fill=count if known else 255)
            draw.text((x, y), part, fill=0, font=font)
            x += font.getlength(part)
        y += size * 1.4
    image = image.rotate(turn, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    where = where.rotate(turn, Image.Resampling.NEAREST, expand=True)
    if noise:
        image = ImageChops.add(image, Image.effect_noise(image.size, noise), offset=-128)
    return image, where, count


def scrubjay(reader: str) -> Redact:
    os.environ["SCRUBJAY_OCR"] = reader
    import scrubjay as package
    from scrubjay.formats import make
    from scrubjay.formats.work import Work
    from scrubjay.types import Policy

    policy = Policy("words", deny={"ID": tuple(WORDS)}, detectors=("patterns.v1",))
    engine = package.load(policy, profile="patterns")

    def redact(image: Image.Image) -> Image.Image:
        source, target = io.BytesIO(), io.BytesIO()
        image.save(source, "PNG")
        source.seek(0)
        make("image.v1").convert(source, target, Work(engine.stream))
        return Image.open(target).convert("L")

    return redact


def presidio() -> Redact:
    from presidio_analyzer import AnalyzerEngine, PatternRecognizer, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NoOpNlpEngine
    from presidio_image_redactor import ImageAnalyzerEngine, ImageRedactorEngine

    words = PatternRecognizer(supported_entity="ID", deny_list=WORDS)
    nlp = NoOpNlpEngine([{"lang_code": "en", "model_name": ""}])
    analyzer = AnalyzerEngine(registry=RecognizerRegistry([words]), nlp_engine=nlp)
    engine = ImageRedactorEngine(image_analyzer_engine=ImageAnalyzerEngine(analyzer))
    return lambda image: engine.redact(image.convert("RGB"), fill=(0, 0, 0)).convert("L")


SIDES: dict[str, Callable[[], Redact]] = {
    "scrubjay, RapidOCR": lambda: scrubjay("rapidocr"),
    "scrubjay, Tesseract": lambda: scrubjay("tesseract"),
    "presidio": presidio,
}


def spent() -> float:
    """Processor seconds of this process and its children."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in both)


def measure(side: str, runs: int) -> dict[str, Any]:
    """One side on every page."""
    redact = SIDES[side]()
    redact(page(75, 0, 0)[0].crop((0, 0, 400, 300)))  # loads what it needs
    told = {}
    for name, how in PAGES.items():
        image, where, count = page(*how)
        seconds = []
        for _ in range(runs):
            start = spent()
            clean = redact(image)
            seconds.append(spent() - start)
        told[name] = {
            "seconds": harness.significant(min(seconds)),
            **score(image, clean, where, count),
        }
        print(side, name, told[name], file=sys.stderr)
    return told


def score(image: Image.Image, clean: Image.Image, where: Image.Image, count: int) -> dict[str, Any]:
    """Identifiers that are gone, of all; and how much of the rest is there. Ink is not counted."""
    ink, dark = (one.point(lambda value: 255 if value < 8 else 0) for one in (image, clean))
    black = [0] * 256
    whole = [0] * 256
    for number, was, shade in zip(where.tobytes(), ink.tobytes(), dark.tobytes(), strict=True):
        if not was:
            whole[number] += 1
            black[number] += shade > 0
    gone = sum(3 * black[i] >= 2 * whole[i] for i in range(1, count + 1))
    return {"gone": gone, "of": count, "kept": round(1 - black[255] / max(whole[255], 1), 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--presidio-python", help="Python of an environment that has Presidio")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    harness.pin()
    if options.side:
        print(json.dumps(measure(options.side, options.runs)))
        return
    pythons = {"scrubjay, RapidOCR": sys.executable}
    if shutil.which("tesseract"):
        pythons["scrubjay, Tesseract"] = sys.executable
        if options.presidio_python:
            pythons["presidio"] = options.presidio_python
    result: dict[str, Any] = {"machine": harness.machine(), "facts": harness.scrubjay_facts()}
    result["versions"] = harness.versions("rapidocr", "onnxruntime", "pillow")
    result["sides"] = {side: run(side, python, options.runs) for side, python in pythons.items()}
    show(result["sides"])
    harness.write(options.json, result)


def run(side: str, python: str, runs: int) -> Any:
    """In a process of its own."""
    command = [python, __file__, "--side", side, "--runs", str(runs)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def show(sides: dict[str, Any]) -> None:
    rows: list[list[object]] = [["page", *(f"{side}: s, gone, kept" for side in sides)]]
    for name in PAGES:
        cells = (told[name] for told in sides.values())
        rows.append([name, *(f"{c['seconds']} {c['gone']}/{c['of']} {c['kept']}" for c in cells)])
    harness.table(rows)


if __name__ == "__main__":
    main()
