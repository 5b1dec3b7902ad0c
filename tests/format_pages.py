"""Makes pages and pictures for the tests and the benchmark: letters about somebody."""

import io

from PIL import Image, ImageDraw, ImageFont

NAME, MRN, PHONE = "Maria Gonzalez", "00471183", "(217) 555-0142"
LETTER = (
    f"Patient: {NAME}     MRN: {MRN}",
    f"Telephone {PHONE}",
    "Blood pressure 132/84, pulse 72.",
)


def picture(lines=LETTER, dpi=100, points=12.0, mode="L", turn=0):
    """Lines of writing, black on white."""
    size = points * dpi / 72
    font = ImageFont.load_default(size)
    step = int(size * 1.6)
    width = int(max(font.getlength(line) for line in lines) + 4 * size)
    image = Image.new("L", (width, step * (len(lines) + 2)), 255)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines, 1):
        draw.text((2 * size, number * step), line, fill=0, font=font)
    return image.convert(mode).rotate(turn, expand=True, fillcolor=255 if mode == "L" else None)


def packed(image, kind="PNG", **options):
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def sample(size):
    """A PNG of about so many bytes, for the benchmark of formats."""
    return packed(picture(LETTER * max(1, size // 5000)))
