"""RTF: runs of a paragraph as one text, in every code page, with headers, notes and links.

What is kept is written anew from what is known here; pictures, objects, properties, authors and
formatting that nobody here knows stay out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct, structs

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats import slots
from scrubjay.formats.slots import Part, Piece
from scrubjay.formats.work import Work

DEEPEST = 500
TOKEN = re.compile(
    r"(?P<open>\{)|(?P<close>\})"
    r"|\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})?[ ]?"
    r"|\\'(?P<hex>[0-9a-fA-F]{2})|\\(?P<symbol>[^a-zA-Z'])"
    r"|(?P<text>[^\\{}\r\n]++)|(?P<skip>[\r\n]++)"
)
GROUP = re.compile(r"[\r\n]*(\\\*[\r\n]*)?\\([a-zA-Z]{1,32})")
SIGNS = {
    "tab": "\t", "emdash": "\u2014", "endash": "\u2013", "lquote": "\u2018", "rquote": "\u2019",
    "ldblquote": "\u201c", "rdblquote": "\u201d", "bullet": "\u2022", "emspace": "\u2003",
    "enspace": "\u2002", "qmspace": "\u2005", "zwj": "\u200d", "zwnj": "\u200c",
}  # fmt: skip
SYMBOLS = {"\\": "\\", "{": "{", "}": "}", "~": "\u00a0", "_": "\u2011"}
BREAKS = frozenset(["par", "cell", "nestcell", "row", "nestrow", "sect", "page", "column"])
TABLES = frozenset(["fonttbl", "stylesheet", "colortbl"]).union(
    ["header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf"]
)
NOTES = frozenset(["footnote", "annotation", "fldinst", "shptxt"])  # they lie within a text
LEFT_OUT = {
    "info": "document properties", "pict": "picture", "object": "embedded object",
    "nonshppict": "picture", "shppict": "picture", "filetbl": "file names", "revtbl": "authors",
    "atnauthor": "authors", "atnid": "authors", "userprops": "document properties",
    "protusertbl": "authors", "docvar": "document variables", "bin": "binary data",
    "nonesttables": "table for old readers", "objdata": "embedded object",
    "sp": "shape properties", "datastore": "embedded data", "themedata": "theme",
    "template": "file names",
}  # fmt: skip
STARRED = frozenset(["fldinst", "cs", "ts", "shptxt", "shpinst"])
PAGES = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850", "ansi": "cp1252"}
CHARSETS = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "cp936", 136: "cp950",
    161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257",
    204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
KEPT = frozenset(Path(__file__).with_suffix(".txt").read_text("ascii").split())


class State(Struct):
    """What holds in a group."""

    page: str = "cp1252"
    skip: int = 1  # characters behind a \\u for readers that do not know it
    within: str = ""  # the group's name, if it is a text of its own
    font: int = -1


class Reader:
    """One document's text, a character a byte."""

    def __init__(self, text: str, work: Work) -> None:
        self._text = text
        self._work = work
        self._at = 0
        self._state = State()
        self._outer: list[State] = []
        self._fonts: dict[int, str] = {}
        self._bytes = bytearray()
        self._page = "cp1252"
        self._skip = 0
        self._run: list[Part | Piece] = []

    def parts(self) -> Iterator[Part]:
        """Up to the brace that ends it."""
        if not self._text.startswith("{\\rtf"):
            raise InputError("no RTF: it does not begin with {\\rtf")
        while found := self._next():
            if found["hex"]:
                self._say(bytes.fromhex(found["hex"]))
            elif found["text"]:
                self._say(found["text"].encode("latin-1"))
            elif found["open"]:
                yield from self._begin()
            elif found["close"]:
                yield from self._end()
                if not self._outer:
                    break
            elif found["word"]:
                yield from self._word(found["word"], found["number"] or "")
            elif found["symbol"]:
                yield from self._symbol(found["symbol"])
        if self._outer:
            raise InputError("it ends within a group: cut short")
        if self._text[self._at :].strip("\0\r\n "):
            self._work.dropped("data behind the end")
        yield from self._flush()
        yield "\n"

    def _next(self) -> re.Match[str] | None:
        if self._at >= len(self._text):
            return None
        found = TOKEN.match(self._text, self._at)
        if not found:
            raise InputError(f"not RTF at byte {self._at}")
        self._at = found.end()
        return found

    def _say(self, data: bytes) -> None:
        """Bytes of text, without those that stand in for a character said before."""
        gone = min(self._skip, len(data))
        self._skip -= gone
        self._bytes += data[gone:]

    def _speak(self, text: str = "") -> None:
        """What bytes there are, and `text` behind them, as a piece."""
        if self._bytes:
            try:
                told = self._bytes.decode(self._state.page)
            except (UnicodeDecodeError, LookupError):
                told = self._bytes.decode("latin-1")
            self._bytes.clear()
            text = told.replace("\0", " ") + text
        if text:
            self._run.append(Piece(text, _written))

    def _begin(self) -> Iterator[Part]:
        """A group, if it is one to keep."""
        self._speak()
        self._skip = 0
        if len(self._outer) > DEEPEST:
            raise InputError(f"groups within groups, more than {DEEPEST} deep")
        found = GROUP.match(self._text, self._at)
        name = found[2] if found else ""
        if name in LEFT_OUT or (found and found[1] and name not in STARRED):
            self._work.dropped(LEFT_OUT.get(name, "unknown group"))
            self._leave()
            return
        self._outer.append(self._state)
        self._state = structs.replace(self._state, within=name)
        yield from self._part(name)
        self._run.append("{\\*" if found and found[1] else "{")
        if found and found[1]:
            self._at = found.end(1)

    def _leave(self) -> None:
        """Go to the end of the group, whatever is in it."""
        depth = 1
        while depth and (found := self._next()):
            depth += bool(found["open"]) - bool(found["close"])
            if found["word"] == "bin":
                self._at += max(0, int(found["number"] or 0))
        if depth:
            raise InputError("it ends within a group: cut short")

    def _end(self) -> Iterator[Part]:
        self._speak()
        self._skip = 0
        if not self._outer:
            raise InputError(f"a brace too many at byte {self._at - 1}")
        name = self._state.within
        self._run.append("}")
        self._state = self._outer.pop()
        yield from self._part(name)

    def _part(self, name: str) -> Iterator[Part]:
        """A table and a header end the text before them; a note lies in it."""
        if name in TABLES:
            yield from self._flush()
        elif name in NOTES:
            self._run.append(Piece("", str, "\n"))

    def _word(self, name: str, number: str) -> Iterator[Part]:
        """A control word: what it says, what it changes, or what it looks like."""
        if name == "u":
            self._unicode(int(number or 0))
            return
        if self._skip and name != "bin":
            self._skip -= 1
            return
        if name == "bin":
            self._work.dropped("binary data")
            self._at += max(0, int(number or 0))
            return
        if name in SIGNS:
            self._speak(SIGNS[name])
            return
        self._speak()
        self._change(name, int(number or 0))
        if name in KEPT and len(number) < 8:
            self._run.append(f"\\{name}{number} ")
        elif name != "uc":
            self._work.dropped("formatting")
        if name == "rtf":
            self._run.append("\\uc1 ")
        if name == "line":
            self._run.append(Piece("", str, "\n"))
        if name in BREAKS:
            yield from self._flush()

    def _unicode(self, number: int) -> None:
        self._speak()
        code = number % 0x10000
        self._skip = self._state.skip
        last = self._run[-1] if self._run else None
        if 0xDC00 <= code < 0xE000 and isinstance(last, Piece) and last.text[-1:] >= "\ud800":
            both = last.text[-1] + chr(code)
            if "\ud800" <= both[0] < "\udc00":
                joined = both.encode("utf-16", "surrogatepass").decode("utf-16")
                self._run[-1] = Piece(last.text[:-1] + joined, _written)
                return
        self._speak(chr(code) if code else " ")

    def _change(self, name: str, number: int) -> None:
        if name in PAGES:
            self._page = self._state.page = PAGES[name]
        elif name == "ansicpg":
            self._page = self._state.page = f"cp{number}"
        elif name == "uc":
            self._state.skip = max(0, min(number, 8))
        elif name == "f":
            self._state.font = number
            self._state.page = self._fonts.get(number, self._page)
        elif name == "fcharset" and self._state.font >= 0:
            self._fonts[self._state.font] = CHARSETS.get(number, self._page)
        elif name == "plain":
            self._state.page = self._page

    def _symbol(self, sign: str) -> Iterator[Part]:
        if self._skip:
            self._skip -= 1
        elif sign in SYMBOLS:
            self._speak(SYMBOLS[sign])
        elif sign in "\r\n":
            yield from self._word("par", "")
        elif sign in "-":
            self._speak()
            self._run.append("\\-")

    def _flush(self) -> Iterator[Part]:
        """A paragraph as one text."""
        self._speak()
        for index, part in enumerate(self._run):
            if isinstance(part, Piece) and re.search("[\ud800-\udfff]", part.text):
                half = re.sub("[\ud800-\udfff]", "\ufffd", part.text)
                self._run[index] = Piece(half, _written)
        yield slots.pieced(self._run)
        self._run = []


def _written(told: str) -> str:
    """ASCII as it is, all else by number."""
    return re.sub(r"[^\x20-\x5b\x5d-\x7a|~]", _sign, told)


def _sign(found: re.Match[str]) -> str:
    sign = found[0]
    if sign in "\\{}":
        return f"\\{sign}"
    if sign in "\t\n":
        return "\\tab " if sign == "\t" else "\\line "
    data = sign.encode("utf-16-le")
    units = (data[at] | data[at + 1] << 8 for at in range(0, len(data), 2))
    return "".join(f"\\u{unit - 0x10000 if unit > 0x7FFF else unit}?" for unit in units)


class Rtf:
    """`rtf.v1`."""

    name = "rtf.v1"
    suffixes: tuple[str, ...] = (".rtf",)

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """In ASCII."""
        data = work.whole(source)
        parts = Reader(data.decode("latin-1"), work).parts()
        slots.write(parts, target, work.clean, "ascii")


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`rtf.v1`."""
    return Rtf()
