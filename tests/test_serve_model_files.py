"""Files in what goes to a model arrive clean and as what they were: pictures, PDFs, tables, texts,
with the official clients; upstream's pictures are read back by Tesseract. What cannot be looked at
is not sent."""

import base64
import io
import json
import subprocess
from shutil import which
from typing import NamedTuple

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage", "openai", "anthropic"):
    pytest.importorskip(needed)
pytest.importorskip("rapidocr")

import anthropic  # noqa: E402
import openai  # noqa: E402
import pypdfium2  # noqa: E402
from format_pages import letter, packed, picture  # noqa: E402
from model_upstream import Upstream as Fake  # noqa: E402
from PIL import Image  # noqa: E402
from serving import KEY, logged, running, service  # noqa: E402

from scrubjay.errors import InputError  # noqa: E402
from scrubjay.formats.work import Work  # noqa: E402
from scrubjay.report import unchanged  # noqa: E402
from scrubjay.serve.app import application  # noqa: E402
from scrubjay.serve.model import attached, passing  # noqa: E402
from scrubjay.serve.model.gateway import Upstream  # noqa: E402

LINES = ["Patient: Mr. Quentin Quarles", "SSN 536-90-4399", "Blood pressure 132/84"]
SECRETS = ("Quentin", "Quarles", "536-90-4399", "4399")
TABLE = "name,ssn,pressure\nQuentin Quarles,536-90-4399,132\nAna Novak,219-09-9999,120\n"


class Both(NamedTuple):
    fake: Fake
    openai: openai.OpenAI
    anthropic: anthropic.Anthropic
    served: object

    def chat(self, *parts, text="And Mr. Quarles?"):
        content = [*parts, {"type": "text", "text": text}]
        told = self.openai.chat.completions.create(
            model="m", messages=[{"role": "user", "content": content}]
        )
        assert told.choices[0].message.content == text
        return self.sent()["messages"][-1]["content"]

    def messages(self, *parts):
        content = [*parts, {"type": "text", "text": "And Mr. Quarles?"}]
        self.anthropic.messages.create(
            model="m", max_tokens=9, messages=[{"role": "user", "content": content}]
        )
        return self.sent()["messages"][-1]["content"]

    def sent(self):
        told = json.dumps(self.fake.seen[-1])
        assert not [one for one in SECRETS if one in told], told
        return self.fake.seen[-1]


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    fake = Fake()
    folder = tmp_path_factory.mktemp("gateway")
    with pytest.MonkeyPatch.context() as monkeypatch, running(fake.app) as behind:
        if which("tesseract"):
            monkeypatch.setenv("SCRUBJAY_OCR", "tesseract")
        upstreams = {kind: Upstream(f"{behind}/v1", "theirs") for kind in ("openai", "anthropic")}
        with (
            service(monkeypatch, folder, upstreams=upstreams) as served,
            running(application(served.state)) as address,
        ):
            yield Both(
                fake,
                openai.OpenAI(base_url=f"{address}/openai/v1", api_key=KEY, max_retries=0),
                anthropic.Anthropic(base_url=f"{address}/anthropic", api_key=KEY, max_retries=0),
                served,
            )


@pytest.fixture
def both(started):
    started.fake.begin()
    return started


def url(data, media):
    return f"data:{media};base64,{base64.b64encode(data).decode()}"


def opened(told):
    """A data: URL's media type and bytes."""
    head, _, data = told.partition(",")
    return head.removeprefix("data:").removesuffix(";base64"), base64.b64decode(data)


def said(data):
    """What another reader than ours reads in a picture."""
    if not which("tesseract"):
        pytest.skip("needs Tesseract")
    command = ["tesseract", "-", "-", "--psm", "3"]
    png = packed(Image.open(io.BytesIO(data)))
    return subprocess.run(command, input=png, capture_output=True, check=True).stdout.decode()


def clean(data, kind):
    """A picture as upstream got it: of this kind, with what may stay and without what may not."""
    assert Image.open(io.BytesIO(data)).format == kind
    told = said(data)
    assert "pressure" in told and not [one for one in SECRETS if one in told]


@pytest.mark.parametrize(("kind", "media"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_a_picture_of_a_chat_arrives_painted_over(both, kind, media):
    shown = url(packed(picture(LINES, dpi=150), kind), media)
    part = {"type": "image_url", "image_url": {"url": shown, "detail": "high"}}
    told, _ = both.chat(part)
    assert told["image_url"]["detail"] == "high"
    media_told, data = opened(told["image_url"]["url"])
    assert media_told == media
    clean(data, kind)


def test_a_picture_of_responses_and_of_messages_too(both):
    data = packed(picture(LINES, dpi=150))
    part = {"type": "input_image", "image_url": url(data, "image/png"), "detail": "auto"}
    content = [part, {"type": "input_text", "text": "Who is it?"}]
    both.openai.responses.create(model="m", input=[{"role": "user", "content": content}])
    clean(opened(both.sent()["input"][0]["content"][0]["image_url"])[1], "PNG")
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(data).decode()}
    told, _ = both.messages({"type": "image", "source": source})
    assert (told["source"]["type"], told["source"]["media_type"]) == ("base64", "image/png")
    clean(base64.b64decode(told["source"]["data"]), "PNG")


def test_a_pdf_has_the_conversation_s_placeholders(both):
    file = {"file_data": url(letter(), "application/pdf"), "filename": "Maria_Gonzalez.pdf"}
    told, asked = both.chat({"type": "file", "file": file}, text="Is Maria Gonzalez well?")
    name = asked["text"].removeprefix("Is ").removesuffix(" well?")
    assert told["file"]["filename"] == f"{name}.pdf"
    pages = pypdfium2.PdfDocument(opened(told["file"]["file_data"])[1])
    words = pages[0].get_textpage().get_text_bounded()
    assert name in words and "132/84" in words
    assert "Gonzalez" not in words and "00471183" not in words


def test_a_table_and_a_text_share_placeholders_with_the_words_beside_them(both):
    file = {"type": "file", "file": {"file_data": url(TABLE.encode(), "text/csv"),
                                     "filename": "Quentin_Quarles.csv"}}  # fmt: skip
    told, text = both.chat(file, text="Is Quentin Quarles older than Ana Novak?")
    media, data = opened(told["file"]["file_data"])
    assert media == "text/csv" and data.startswith(b"name,ssn,pressure\n")
    first, second = (row.split(",")[0] for row in data.decode().splitlines()[1:])
    assert text["text"] == f"Is {first} older than {second}?"
    assert told["file"]["filename"] == f"{first}.csv"


def test_a_document_of_messages_may_be_a_text_or_parts(both):
    note = {"type": "text", "media_type": "text/plain", "data": "\n".join(LINES)}
    parts = {"type": "content", "content": [{"type": "text", "text": LINES[0]}]}
    first, second, _ = both.messages(
        {"type": "document", "source": note, "title": LINES[0]},
        {"type": "document", "source": parts},
    )
    assert first["source"]["media_type"] == "text/plain" and "132/84" in first["source"]["data"]
    assert second["source"]["content"][0]["text"] == first["title"]


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ({"type": "image_url", "image_url": {"url": "https://x.org/Quarles.png"}}, "as base64"),
        ({"type": "file", "file": {"file_id": "file-Quarles1"}}, "as base64"),
        ({"type": "image_url", "image_url": {"url": "data:text/csv;base64,Quarles"}}, "no base64"),
        ({"type": "image_url", "image_url": {"url": "data:image/png,Quarles"}}, "no base64"),
        ({"type": "image_url", "image_url": {"url": url(b"\0\1", "image/gif")}}, "no reader"),
        ({"type": "image_url", "image_url": {"url": url(b"\x89PNG\r\n\x1a\nQuarles", "image/png")}},
         "not a picture"),
        ({"type": "input_audio", "input_audio": {"data": "Quarles", "format": "wav"}}, "as text"),
        ({"type": "image_Quarles"}, "as text"),
    ],
)  # fmt: skip
def test_what_cannot_be_looked_at_is_not_sent_and_not_repeated(both, part, why):
    with pytest.raises(openai.BadRequestError, match=why) as told:
        both.chat(part)
    assert "Quarles" not in str(told.value) and not both.fake.seen


def test_files_of_others_are_refused_for_messages_too(both):
    for source in ({"type": "url", "url": "https://example.org/a.pdf"},
                   {"type": "file", "file_id": "file_0123456"}):  # fmt: skip
        with pytest.raises(anthropic.BadRequestError, match="as base64"):
            both.messages({"type": "document", "source": source})
    assert not both.fake.seen


def test_a_picture_in_what_a_tool_gave_is_clean_too(both):
    told = url(packed(picture(LINES, dpi=150)), "image/png")
    messages = [
        {"role": "tool", "tool_call_id": "call_abc123", "content": json.dumps({"shot": told})},
        {"role": "user", "content": "So?"},
    ]
    both.openai.chat.completions.create(model="m", messages=messages)
    shot = json.loads(both.sent()["messages"][0]["content"])["shot"]
    clean(opened(shot)[1], "PNG")


def test_it_is_in_the_log_with_what_was_found(both):
    part = {"type": "image_url", "image_url": {"url": url(packed(picture(LINES)), "image/png")}}
    both.chat(part)
    last = logged(both.served, "anonymize")[-1]
    assert last.recipient == "model at 127.0.0.1" and last.counts["SSN"] >= 1


def test_without_a_reader_of_pictures_it_is_refused_with_what_to_do(monkeypatch):
    monkeypatch.setenv("SCRUBJAY_OCR", "tesseract")
    monkeypatch.setenv("PATH", "")
    shown = {"url": url(packed(picture(LINES)), "image/png")}
    work = Work(lambda documents: map(unchanged, documents))
    with pytest.raises(InputError, match="apt install tesseract-ocr"):
        attached.clean({"type": "image_url", "image_url": shown}, work)


def test_what_takes_too_long_to_read_is_refused(both, monkeypatch):
    monkeypatch.setattr(passing, "SECONDS", 0.01)
    part = {"type": "image_url", "image_url": {"url": url(packed(picture(LINES)), "image/png")}}
    with pytest.raises(openai.UnprocessableEntityError, match="longer than"):
        both.chat(part)
    assert not both.fake.seen
