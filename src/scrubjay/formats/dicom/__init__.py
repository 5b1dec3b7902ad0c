"""DICOM files: the basic profile of PS3.15 Annex E, with the options that the policy asks for.

Names, numbers, dates and UIDs go through the engine by their labels, other texts as free text, and
what became of them must still be valid. Pixels are decoded only where text is likely burned in.
"""

from __future__ import annotations

import tempfile
import zlib
from contextlib import ExitStack
from typing import BinaryIO

import scrubjay
from scrubjay import plugins
from scrubjay.errors import ExtraError, InputError
from scrubjay.formats.dicom import compressed, inside, pixels, profile, subject
from scrubjay.formats.dicom.cleaner import CHARSET, Cleaner, registered
from scrubjay.formats.dicom.elements import (
    EXPLICIT,
    IMPLICIT,
    PIXELS,
    Element,
    File,
    Reader,
    Syntax,
    Writer,
    string,
    told,
)
from scrubjay.formats.subjects import Person
from scrubjay.formats.work import SPOOL, Work, seekable

MAGIC_AT = 128
META_CLASS, META_INSTANCE, META_SYNTAX = 0x00020002, 0x00020003, 0x00020010
META = frozenset((0x00020000, 0x00020001, META_CLASS, META_INSTANCE, META_SYNTAX, 0x00020012,
                  0x00020013))  # fmt: skip
CLASS, INSTANCE = 0x00080016, 0x00080018
UID = "1.2.840.10008.1.2"
DEFLATED = f"{UID}.1.99"
NATIVE = {
    UID: IMPLICIT, f"{UID}.1": EXPLICIT, DEFLATED: EXPLICIT, f"{UID}.2": Syntax(False, big=True),
}  # fmt: skip
RUNS = f"{UID}.5"
JPEG = frozenset(
    f"{UID}.4.{n}" for n in (50, 51, 57, 70, 80, 81, 90, 91, 92, 93, 201, 202, 203)
)  # fmt: skip
REFUSED = {
    "1.2.840.10008.1.3.10": "a DICOMDIR lists other files: convert those, and make a new one",
    "1.2.840.10008.5.1.4.1.1.9.4.1": "a recorded voice",
    "1.2.840.10008.5.1.4.1.1.9.4.2": "a recorded voice",
}
OUR_CLASS = "2.25.329800735698586629295641978511506172928"  # of this implementation, PS3.7 D.3.3.2
PLAIN = f"{UID}.1"  # explicit, little-endian: of pixels that were decoded
METHOD = "Scrubjay {}, PS3.15 Annex E"
FACES = "recognizable faces: left as they are"
LOOKED = {  # for text that is burned in
    "ocr": "burned-in text: looked for by OCR, painted over",
    "person": "burned-in text: none, a person has looked",
    "": "burned-in text: not looked for",
}


class Dicom:
    """`dicom.v1`: options as the policy says, or as given. `dicom-basic.v1`: no option. `seen`:
    somebody has looked at the pixels, and no text is burned in that identifies."""

    suffixes: tuple[str, ...] = (".dcm", ".dicom")

    def __init__(
        self,
        name: str,
        group: str,
        options: profile.Options | None = None,
        *,
        seen: bool = False,
    ) -> None:
        self.name = name
        self._group = group
        self._options = options
        self._seen = seen

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """In the transfer syntax that it has, unless compressed pixels had to be written over."""
        with ExitStack() as opened:
            file = _open(seekable(source), work, opened)
            self._convert(file, target, work)

    def _convert(self, file: File, target: BinaryIO, work: Work) -> None:
        root = Reader(file.source).elements(file.end, file.encoding)
        _check(root)
        why = "" if self._seen else pixels.risk(root)
        _pixels(root, file, work)
        whose = subject.of(root, self._group)
        options = self._options or subject.options(work)
        if why:
            _burned(root, file, work, whose, why=why)
        inside.clean(root, file, work, whose)
        cleaner = Cleaner(work, options, whose)
        kept = cleaner.clean(root, [])
        looked = "ocr" if why else "person" if self._seen else ""
        kept += _record(options, pixels.held(root), looked, plain=cleaner.plain)
        _write(kept, file, target)


def _open(source: BinaryIO, work: Work, opened: ExitStack) -> File:
    end = source.seek(0, 2)
    source.seek(0)
    head = source.read(MAGIC_AT + 4)
    if head[MAGIC_AT:] != b"DICM":
        raise InputError("no DICM at byte 128: not a DICOM file (PS3.10)")
    if any(head[:MAGIC_AT]):
        work.dropped("preamble")
    meta = Reader(source).before(2, end, EXPLICIT)
    work.dropped("file meta information", sum(e.tag not in META for e in meta))
    syntax = string(meta, META_SYNTAX)
    if string(meta, META_CLASS) in REFUSED:
        raise InputError(REFUSED[string(meta, META_CLASS)])
    if syntax not in NATIVE and syntax not in JPEG and syntax != RUNS:
        raise InputError("(0002,0010): a transfer syntax that nothing reads; video is refused")
    encoding = NATIVE.get(syntax, EXPLICIT)
    if syntax == DEFLATED:
        source = opened.enter_context(_inflated(source, end - source.tell(), work))
        end = source.seek(0, 2)
        source.seek(0)
    return File(syntax, encoding, source, end, opened)


def _inflated(source: BinaryIO, packed: int, work: Work) -> BinaryIO:
    """The data set unpacked, within what may be asked for."""
    most = min(work.limits.bytes, max(1 << 20, packed * work.limits.ratio))
    target = tempfile.SpooledTemporaryFile(SPOOL)  # noqa: SIM115 - its caller closes it
    try:
        behind = _inflate(source, target, most)  # type: ignore[arg-type]
        work.dropped("bytes behind the deflated data", len(behind.strip(b"\0")))
    except InputError:
        target.close()
        raise
    return target  # type: ignore[return-value]


def _inflate(source: BinaryIO, target: BinaryIO, most: int) -> bytes:
    """What follows it, as far as that was read: a byte that makes it even, or more."""
    unpack = zlib.decompressobj(-15)
    try:
        while not unpack.eof and (block := unpack.unconsumed_tail or source.read(1 << 16)):
            target.write(unpack.decompress(block, 1 << 20))
            if target.tell() > most:
                raise InputError("deflated: it unpacks to more than it may")
    except zlib.error:
        raise InputError("deflated: damaged") from None
    if not unpack.eof:
        raise InputError("deflated: cut short")
    return unpack.unused_data + source.read(1)


def _check(root: list[Element]) -> None:
    """What every instance has: its class, one of the standard's, and its own UID."""
    kind = string(root, CLASS)
    if kind in REFUSED:
        raise InputError(REFUSED[kind])
    if not registered(kind):
        raise InputError(f"{told(CLASS)}: no SOP class of the standard")
    if not string(root, INSTANCE):
        raise InputError(f"{told(INSTANCE)}: no SOP instance UID")


def _pixels(root: list[Element], file: File, work: Work) -> None:
    work.dropped("bytes behind the pixels", pixels.native(root, file.encoding))
    pixels.unhidden(root)
    for element in root:
        if element.tag == PIXELS and isinstance(element.value, tuple):
            if file.syntax in NATIVE:
                raise InputError(f"{told(PIXELS)}: compressed in a syntax that is not")
            element.value = compressed.clean(
                file.source, element.value, pixels.shape(root, file.encoding), work,
                runs=file.syntax == RUNS,
            )  # fmt: skip


def _burned(root: list[Element], file: File, work: Work, whose: Person, *, why: str) -> None:
    """Pixels without the text that is burned in. If nobody can look at them, they are refused."""
    try:
        from scrubjay.formats.dicom import burned  # needs an extra

        if burned.clean(root, file, work, whose):
            file.syntax = file.syntax if file.syntax in NATIVE else PLAIN
    except (ModuleNotFoundError, ExtraError):
        raise InputError(
            f"{why}: clean its pixels first, or pip install 'scrubjay[ocr]', which finds most"
        ) from None


def _record(
    options: profile.Options, has_pixels: bool, looked: str, *, plain: bool
) -> list[Element]:
    """What was done and what was not, PS3.15 E.1.1 and PS3.3 C.12.1.1.5."""
    names = {*options.names, "basic"} | ({"private"} if options.private else set())
    names |= {"pixels"} if looked == "ocr" else set()
    method = [METHOD.format(scrubjay.__version__), *((LOOKED[looked], FACES) if has_pixels else ())]
    codes = [profile.PURPOSES[name] for name in profile.PURPOSES if name in names]
    dates = {"full": "UNMODIFIED", "modified": "MODIFIED"}
    changed = next((told for name, told in dates.items() if name in names), "REMOVED")
    items = [
        [
            Element(0x00080100, "SH", code.encode()),
            Element(0x00080102, "SH", b"DCM"),
            Element(0x00080104, "LO", meaning.encode()),
        ]
        for code, meaning in codes
    ]
    done = [
        Element(0x00120062, "CS", b"YES"),
        Element(0x00120063, "LO", "\\".join(method).encode()),
        Element(0x00120064, "SQ", items),
        Element(0x00280303, "CS", changed.encode()),
    ]
    return done if plain else [Element(CHARSET, "CS", b"ISO_IR 192"), *done]


def _write(root: list[Element], file: File, target: BinaryIO) -> None:
    packed = file.syntax == DEFLATED
    _write_meta(root, file, target)
    if not packed:
        Writer(file.source, target).write(root, file.encoding)
        return
    with tempfile.SpooledTemporaryFile(SPOOL) as whole:
        Writer(file.source, whole).write(root, file.encoding)  # type: ignore[arg-type]
        whole.seek(0)
        pack = zlib.compressobj(wbits=-15)
        while block := whole.read(1 << 20):
            target.write(pack.compress(block))
        target.write(pack.flush())


def _write_meta(root: list[Element], file: File, target: BinaryIO) -> None:
    """PS3.10 7.1, ours but for class, instance and syntax."""
    rows = [
        Element(0x00020001, "OB", b"\0\x01"),
        Element(META_CLASS, "UI", string(root, CLASS).encode()),
        Element(META_INSTANCE, "UI", string(root, INSTANCE).encode()),
        Element(META_SYNTAX, "UI", file.syntax.encode()),
        Element(0x00020012, "UI", OUR_CLASS.encode()),
        Element(0x00020013, "SH", b"SCRUBJAY"),
    ]
    with tempfile.SpooledTemporaryFile(SPOOL) as held:
        Writer(file.source, held).write(rows, EXPLICIT)  # type: ignore[arg-type]
        length = held.tell()
        held.seek(0)
        target.write(b"\0" * MAGIC_AT + b"DICM")
        first = Element(0x00020000, "UL", length.to_bytes(4, "little"))
        Writer(file.source, target).write([first], EXPLICIT)
        target.write(held.read())


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`dicom.v1`, or `dicom-basic.v1`. `encoding` is the file's own."""
    options = profile.Options(frozenset()) if name == "dicom-basic.v1" else None
    return Dicom(name, group, options)
