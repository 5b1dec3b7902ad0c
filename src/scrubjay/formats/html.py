"""HTML: text across inline tags, attributes, comments, scripts, styles; read as browsers read it.

What holds nothing stays as it is written, but for blanks within tags. A cell's column or row header
is its `field`. A `data:` URL is a file in the page.
"""

from __future__ import annotations

import html
import re
import urllib.parse
from collections.abc import Callable, Generator, Iterator
from functools import partial
from itertools import chain
from typing import BinaryIO

from msgspec import structs

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats import carried, fields, json, places, records, scripts, slots, strings
from scrubjay.formats.markup import ENCODINGS, QUOTED, SPECIAL, escape
from scrubjay.formats.naming import says_who, words
from scrubjay.formats.places import BLOCKS
from scrubjay.formats.slots import Part, Piece, Slot
from scrubjay.formats.subjects import Person
from scrubjay.formats.work import Work
from scrubjay.types import Anonymized, Document

TEXT = {sign: told for sign, told in SPECIAL.items() if sign != ord("\r")}
RAW = frozenset(["script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"])
BARE = frozenset(  # attributes that stand without a value
    """allowfullscreen async autofocus checked compact controls crossorigin default defer disabled
    download hidden ismap itemscope loop multiple muted noshade novalidate nowrap open readonly
    required reversed selected""".split()  # noqa: SIM905
)
URLS = frozenset(
    """action background cite codebase data formaction href imagesrcset longdesc lowsrc manifest
    ping poster src srcset xlink:href""".split()  # noqa: SIM905
)
SILENT = frozenset(["alt", "title", "class", "style", "placeholder", "summary", "aria-label"])
CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w.:-]{2,40})", re.I)
SPOKEN = re.compile(r"(?:[^<]|<(?![a-zA-Z/!?]))++")
OPENED = re.compile(r"<([a-zA-Z][^\s/>]*+)")
CLOSED = re.compile(r"</([a-zA-Z][^\s/>]*+)[^>]*+>")
COMMENT = re.compile(r"<!--(?:-?>|(.*?)--!?>)", re.S)
BOGUS = re.compile(r"<(?:!|\?|/(?![a-zA-Z]))([^>]*+)>")
DOCTYPE = re.compile(
    r'doctype\s+html(\s+public\s+"-//W3C//DTD X?HTML \d(\.\d\d?)?'
    r'( (Transitional|Strict|Frameset))?//EN"'
    r'(\s+"http://www\.w3\.org/TR/(xhtml1|xhtml11|html4|REC-html40)/(DTD/)?'
    r'(xhtml1|xhtml11|html4)?-?(transitional|strict|loose|frameset)?\.dtd")?)?\s*',
    re.I,
)
ATTRIBUTE = re.compile(
    r"[\s/]*+(?P<name>[^\s/>][^\s/>=]*+)"
    r"(?P<value>\s*+=\s*+(?:\"(?P<double>[^\"]*+)\"|'(?P<single>[^']*+)'|(?P<bare>[^\s>]*+)))?"
)
END = re.compile(r"[\s/]*+>")
REFERENCE = re.compile(r"&(?:#[0-9]++|#[xX][0-9a-fA-F]++|[a-zA-Z][a-zA-Z0-9]*+);?")


class Page:
    """One page, or what stands in a string, in a place like `about`."""

    def __init__(
        self,
        work: Work,
        depth: int = 0,
        *,
        links: Callable[[str], str] | None = None,
        about: Document = fields.NOWHERE,
    ) -> None:
        if depth > work.limits.depth:
            raise InputError(f"HTML within HTML, {depth} deep")
        self._work = work
        self._depth = depth
        self._about = about
        self._links = links  # new names of what a mail's page shows
        self._memory = slots.Memory()
        self._renamed: dict[str, str] = {}  # or the same name, once it was looked at
        self._place = places.Place()
        self._whose = Person(about.group, about.known)
        self._run: list[Part | Piece] = []

    def parts(self, text: str) -> Iterator[Part]:
        """All of it."""
        shape = places.Shape(text)
        people = records.People(shape.outline.objects, self._work.people, self._whose)
        self._whose = people.of(shape.top)
        self._within = {at: people.of(one) for at, one in shape.within.items()}
        at = 0
        while at < len(text):
            if found := SPOKEN.match(text, at):
                self._run.append(_spoken(found[0]))
                at = found.end()
            else:
                at = yield from self._tag(text, at)
        yield from self._flush()

    def _tag(self, text: str, at: int) -> Generator[Part, None, int]:
        """Up to where it ends."""
        if found := OPENED.match(text, at):
            return (yield from self._start(text, found))
        if found := CLOSED.match(text, at):
            name = found[1].lower()
            tag: list[Part] = [self._name("</", name), ">"]
            yield from self._around(name, tag, found.start(), closing=True)
            return found.end()
        if found := COMMENT.match(text, at):
            self._run += self._comment(found[1] or "")
            return found.end()
        if not text.startswith("<!--", at) and (found := BOGUS.match(text, at)):
            if DOCTYPE.fullmatch(found[1]):
                self._run.append(found[0])
            else:
                self._run += self._comment(found[1])
            return found.end()
        self._run.append(_spoken(text[at:]))  # it never ends
        return len(text)

    def _start(self, text: str, found: re.Match[str]) -> Generator[Part, None, int]:
        name, at = found[1].lower(), found.end()
        attributes = []
        while not (end := END.match(text, at)):
            attribute = ATTRIBUTE.match(text, at)
            if not attribute:  # the file ends in the tag
                self._run.append(_spoken(text[found.start() :]))
                return len(text)
            attributes.append(attribute)
            at = attribute.end()
        slash = "/>" if "/" in end[0] else ">"
        bare = {one["name"].lower() for one in attributes if one["value"] is None}
        all_ = " ".join([name, *(one["name"] for one in attributes if one["value"] is None)])
        beside = all_ if bare - BARE else ""
        tag = [self._name("<", name, beside), *self._attributes(attributes, beside), slash]
        at = end.end()
        if name == "plaintext":
            self._run.append(_spoken(text[at:]))
            return len(text)
        if name not in RAW:
            yield from self._around(name, tag, found.start())
            return at
        close = re.compile(rf"</{name}(?=[\s/>])", re.I).search(text, at)
        last = close.start() if close else len(text)
        yield from self._flush()
        yield from tag
        yield from self._raw(name, text[at:last], attributes)
        if not close:
            yield f"</{name}>"
        return last

    def _around(
        self, name: str, tag: list[Part], at: int, *, closing: bool = False
    ) -> Iterator[Part]:
        """An inline tag lies in a text; any other ends it, and a record may begin or end at it."""
        if name == "br":
            self._run += [*tag, Piece("", str, "\n")]
        elif name not in BLOCKS and name not in RAW:
            self._run += tag
        else:
            yield from self._flush()
            yield from tag
            self._whose = self._within.get(at, self._whose)
            if not closing:
                self._place.opened(name)

    def _flush(self) -> Iterator[Part]:
        run, self._run = self._run, []
        said = "".join(part.text for part in run if isinstance(part, Piece))
        document = self._document(said, self._place.field() or self._about.field)
        if places.names(said.strip()):
            document = structs.replace(document, label="")
        alone = run[0] if len(run) == 1 else None
        if isinstance(alone, Piece):
            yield self._memory.kept(document, alone.write(said), alone.write)
        elif run:
            yield slots.pieced(run, document)
        self._place.said(said)

    def _document(self, text: str, field: str = "") -> Document:
        return fields.document(text, field, self._whose.document(text, self._about.id))

    def _inner(self, text: str) -> Iterator[Part]:
        about = self._whose.owned(structs.replace(self._about, known={}))
        return Page(self._work, self._depth + 1, about=about).parts(text)

    def _name(self, before: str, name: str, beside: str = "") -> Part:
        """A tag's or attribute's: another one, the same each time, where it says somebody's, alone
        or with those beside it: `<Ann Lee>`."""
        if name in self._renamed and (not beside or self._renamed[name] != name):
            return before + self._renamed[name]
        texts = [name, beside] if beside else [name]

        def write(results: list[Anonymized]) -> str:
            if any(map(says_who, texts, results)):
                self._renamed[name] = f"x-{len(self._renamed) + 1}"
            return before + self._renamed.setdefault(name, name)

        return Slot([Document(words(text)) for text in texts], write)

    def _comment(self, text: str) -> Iterator[Part]:
        yield "<!--"
        yield slots.together(self._inner(text), lambda told: re.sub("-(?=[->]|$)", "- ", told))
        yield "-->"

    def _attributes(self, found: list[re.Match[str]], beside: str) -> Iterator[Part]:
        values = {one["name"].lower(): _value(one) for one in found}
        field = values.get("name") or values.get("property") or values.get("id") or ""
        for one in found:
            name = one["name"].lower()
            yield self._name(" ", one["name"], "" if one["value"] else beside)
            if one["value"] is not None:
                yield '="'
                yield self._attribute(name, one, field)
                yield '"'

    def _attribute(self, name: str, found: re.Match[str], field: str) -> Part:
        value = _value(found)
        double = found["double"]
        raw = double if double is not None else escape(value, QUOTED)
        quote = partial(escape, table=QUOTED)
        if self._links and value.startswith("cid:"):
            return quote(f"cid:{self._links(urllib.parse.unquote(value[4:]))}")
        if (file := carried.string(value, self._work)) is not None:
            return quote(file)
        if name == "srcdoc":
            return slots.together(self._inner(value), quote)
        if name.startswith("on") or name == "style":
            read = scripts.css if name == "style" else scripts.javascript
            return slots.together([read(value, self._work)], quote)
        if name in URLS or "%" in value:
            return self._url(value, raw)
        if name in {"value", "content", "datetime"} or name.startswith("data-"):
            under = field if name in {"value", "content"} else name.removeprefix("data-")
            document = self._document(value, under)
            return strings.part(
                document, raw, quote, self._work, memory=self._memory, depth=self._depth
            )
        about = self._whose.document(value, self._about.id)
        document = structs.replace(about, field="" if name in SILENT else name)
        return self._memory.kept(document, raw, quote)

    def _url(self, value: str, raw: str) -> Part:
        """Percent signs are read, and blanks of its query."""
        if value.lstrip().lower().startswith("javascript:"):
            read = scripts.javascript(urllib.parse.unquote(value), self._work)
            return slots.together([read], partial(escape, table=QUOTED))
        plain = strings.unquoted(value)
        if "?" in value:
            plain = plain.replace("+", " ")
        blank = " " if " " in value else ""  # as a list of sources has

        def write(told: str) -> str:
            return escape(urllib.parse.quote(told, safe="/:?#[]@!$&'()*+,;=%~" + blank), QUOTED)

        document = self._document(plain)
        if parts := strings.query(self._document(value)):
            return slots.together(
                parts, lambda told: raw if told == value else escape(told, QUOTED)
            )
        return self._memory.kept(document, raw, write)

    def _raw(self, name: str, text: str, attributes: list[re.Match[str]]) -> Iterator[Part]:
        """What stands in an element that has no tags in it."""
        kind = next((_value(a) for a in attributes if a["name"].lower() == "type"), "")
        if name in {"title", "textarea"}:
            named = [_value(a) for a in attributes if a["name"].lower() in {"name", "id"}]
            about = self._document(html.unescape(text), named[0] if named else "")
            yield slots.pieced([_spoken(text)], about)
        elif name == "style":
            yield slots.together([scripts.css(text, self._work)], _harmless)
        elif name == "script" and "json" in kind.lower() and json.valid(text.encode()):
            yield slots.together(
                json.Reader(self._work, whose=self._whose, depth=self._depth + 1).parts(text),
                _harmless,
            )
        elif name == "script" and ("html" in kind.lower() or "template" in kind.lower()):
            yield slots.together(self._inner(text), _harmless)
        elif name == "script":
            yield slots.together([scripts.javascript(text, self._work)], _harmless)
        elif text.strip():
            self._work.dropped(f"text in {name}")


def _harmless(told: str) -> str:
    """It must not end the script that it stands in."""
    return re.sub(r"<(?=[/!])", r"<\\", told) if re.search("</(script|style)", told, re.I) else told


def _spoken(raw: str) -> Piece:
    text = html.unescape(raw)
    return Piece(text, lambda told: raw if told == text else escape(told, TEXT))


def _value(found: re.Match[str]) -> str:
    """An attribute's, with its references read as in one."""
    raw = next((v for v in found.group("double", "single", "bare") if v is not None), "")

    def read(one: re.Match[str]) -> str:
        follows = raw[one.end() : one.end() + 1]
        if one[0][-1] != ";" and one[0][1] != "#" and (follows == "=" or follows.isalnum()):
            return one[0]
        return html.unescape(one[0])

    return REFERENCE.sub(read, raw)


class Html:
    """`html.v1`."""

    name = "html.v1"
    suffixes: tuple[str, ...] = (".html", ".htm")

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """In the encoding that it declares, else in the one that was asked for."""
        encoding = self._declared(source.read(1 << 12)) if source.seekable() else self._encoding
        if source.seekable():
            source.seek(0)
        text = work.text(source, encoding)
        body = text.removeprefix("\ufeff")
        mark = text[: len(text) - len(body)]
        parts = chain([mark], Page(work).parts(body))
        slots.write(parts, target, work.clean, encoding, errors="xmlcharrefreplace")

    def _declared(self, head: bytes) -> str:
        if self._encoding != "utf-8":
            return self._encoding
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return "utf-16"
        found = CHARSET.search(head)
        told = found[1].decode("ascii").lower() if found else ""
        if not ENCODINGS.fullmatch(told):
            return self._encoding
        return {"iso-8859-1": "cp1252", "latin1": "cp1252"}.get(told, told)


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`html.v1`."""
    return Html(encoding)
