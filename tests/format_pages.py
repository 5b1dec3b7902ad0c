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


def letter(images=(), hidden=(), pages=2, form=False):
    """A PDF about somebody: text in several fonts and directions, an outline, links."""
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen import canvas

    target = io.BytesIO()
    page = canvas.Canvas(target, pagesize=(420, 300), invariant=1)
    page.setTitle(f"Letter of {NAME}")
    page.setFont("Helvetica-Bold", 12)
    page.drawString(20, 270, f"Patient: {NAME}     MRN: {MRN}")
    page.setFont("Times-Roman", 10)
    page.drawString(20, 250, f"Telephone {PHONE}, and more text after it.")
    page.drawString(20, 235, "Blood pressure 132/84, pulse 72.")
    text = page.beginText(20, 220)
    text.setCharSpace(1)
    text.setHorizScale(80)
    text.textLine(f"Narrow: {NAME}.")
    page.drawText(text)
    page.saveState()
    page.translate(400, 60)
    page.rotate(90)
    page.drawString(0, 0, f"Sideways: {NAME}")
    page.restoreState()
    if form:
        page.acroForm.textfield(name="who", value=NAME, tooltip=NAME, x=20, y=180, width=150)
    for line in hidden:
        text = page.beginText(20, 120)
        text.setTextRenderMode(3)
        text.textLine(line)
        page.drawText(text)
    for image, place in images:
        page.drawImage(ImageReader(io.BytesIO(image)), *place)
    page.bookmarkPage("first")
    page.addOutlineEntry(f"Report on {NAME}", "first", 0)
    page.linkURL(f"https://example.org/{MRN}", (20, 20, 60, 30))
    page.linkRect("", "first", (70, 20, 90, 30))
    for number in range(2, pages + 1):
        page.showPage()
        page.setFont("Helvetica", 11)
        page.drawString(20, 250, f"Page {number} of {NAME}")
    page.save()
    return target.getvalue()
