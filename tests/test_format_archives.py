"""Archives: every member through its reader, names too; bombs, links, damage and ways out."""

import gzip
import io
import random
import tarfile
import zipfile
import zlib
from collections import Counter

import pytest
import zstandard
from format_text import PLANTED, clean, left, mutated
from hypothesis import given, settings

from scrubjay import formats
from scrubjay.formats.work import Limits, Work
from scrubjay.report import unchanged
from scrubjay.testing import check_format


def zipped(members, comment=b"", method=zipfile.ZIP_DEFLATED):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as new:
        new.comment = comment
        for name, data in members.items():
            new.writestr(name, data)
    return sink.getvalue()


def tarred(members, change=lambda info: None, form=tarfile.PAX_FORMAT):
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=form) as new:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            change(info)
            new.addfile(info, io.BytesIO(data))
    return sink.getvalue()


PACK = {
    "a.zip": zipped,
    "a.tar": tarred,
    "a.tgz": lambda members: gzip.compress(tarred(members)),
    "a.tar.zst": lambda members: zstandard.compress(tarred(members)),
}


def unpacked(name, data):
    """A copy's members, read by another reader where there is one."""
    if name == "a.zip":
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            assert packed.testzip() is None
            return {info.filename: packed.read(info) for info in packed.infolist()}
    if name.endswith("zst"):
        data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    with tarfile.open(fileobj=io.BytesIO(data)) as packed:
        return {info.name: packed.extractfile(info).read() for info in packed}


def every(data):
    """Bytes, and all bytes packed in them."""
    yield data
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for name in packed.namelist():
                yield from every(packed.read(name))
    elif data[:2] == b"\x1f\x8b":
        yield from every(gzip.decompress(data))
    elif data[:4] == b"\x28\xb5\x2f\xfd":
        yield from every(zstandard.ZstdDecompressor().decompressobj().decompress(data))


@pytest.mark.parametrize("name", PACK)
def test_members_and_names(name):
    data = PACK[name]({
        "Ann Lee/note Ann Lee.txt": b"Ann Lee", "Ann Lee/b.json": b'{"mrn": 4481923}',
        "Zo\u00eb D\u00f6rr.txt": b"plain", "Zo\u00eb_D\u00f6rr.txt": b"more",
        "__MACOSX/._x": b"\0\0",
    })  # fmt: skip
    told = Counter()
    assert unpacked(name, clean(name, data, told=told)) == {
        "[PERSON]/note [PERSON].txt": b"[PERSON]", "[PERSON]/b.json": b'{"mrn": "[MRN]"}',
        "[PERSON].txt": b"plain", "[PERSON] 2.txt": b"more",
    }  # fmt: skip
    assert told == {"file of an operating system": 1}


@pytest.mark.parametrize("planted", PLANTED)
def test_planted_in_every_place(planted):
    def stain(info):
        info.uname = info.gname = planted
        info.pax_headers = {"comment": planted, "SCHILY.xattr.user.x": planted}

    sink = io.BytesIO()
    with gzip.GzipFile(f"{planted}.txt", "wb", fileobj=sink) as single:
        single.write(planted.encode())
    inner = zipped({f"{planted}/{planted}.txt": planted.encode()}, planted.encode())
    info = zipfile.ZipInfo("x.txt")
    info.comment = planted.encode()
    info.extra = b"\x99\x99" + len(planted.encode()).to_bytes(2, "little") + planted.encode()
    with zipfile.ZipFile(packed := io.BytesIO(), "w") as new:
        new.writestr(info, planted.encode())
        new.writestr("a.txt.gz", sink.getvalue())
        new.writestr("b.zip", inner)
        new.writestr("c.tar", tarred({f"{planted}.txt": planted.encode()}, stain))
        new.writestr("d.tar", tarred({f"{planted}.txt": b"x"}, form=tarfile.GNU_FORMAT))
        new.writestr("e.txt.zst", zstandard.compress(planted.encode()))
    for data in (
        packed.getvalue(),
        planted.encode() + packed.getvalue(),
        zstandard.compress(inner),
    ):
        if data.startswith((b"PK", b"\x28")):
            told = clean("a.zip" if data.startswith(b"PK") else "a.zst", data)
            assert not [one for one in every(told) if left(one, planted)]
        else:
            with pytest.raises(formats.InputError):
                clean("a.zip", data)


def special(kind, **values):
    def change(info):
        info.type = kind
        for key, value in values.items():
            setattr(info, key, value)

    return lambda: tarred({"x": b""}, change)


def linked():
    info = zipfile.ZipInfo("x.txt")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(sink := io.BytesIO(), "w") as new:
        new.writestr(info, "/etc/passwd")
    return sink.getvalue()


def encrypted():
    data = bytearray(zipped({"x.txt": b"x"}))
    data[data.index(b"PK\1\2") + 8] |= 1
    data[6] |= 1
    return bytes(data)


def garbled(data, at=-1):
    data = bytearray(data)
    data[at] ^= 0x55
    return bytes(data)


NOISE = random.Random(1).randbytes(5000).hex().encode()
REFUSED = {
    "link.zip": (linked, "link"),
    "locked.zip": (encrypted, "encrypted"),
    "up.zip": (lambda: zipped({"../x.txt": b"x"}), "out of the archive"),
    "root.zip": (lambda: zipped({"/etc/x.txt": b"x"}), "out of the archive"),
    "drive.zip": (lambda: zipped({"c:x.txt": b"x"}), "out of the archive"),
    "kind.zip": (lambda: zipped({"x.exe": b"MZ\0\0"}), "member 1"),
    "crc.zip": (lambda: garbled(zipped({"x.txt": NOISE}, method=0), 60), "member 1: damaged"),
    "cut.zip": (lambda: zipped({"x.txt": NOISE})[:-30], "zip"),
    "bomb.zip": (lambda: zipped({"x.txt": bytes(3_000_000)}), "times its size"),
    "up.tar": (lambda: tarred({"a/../../x.txt": b"x"}), "out of the archive"),
    "link.tar": (special(tarfile.SYMTYPE, linkname="/etc/passwd"), "link"),
    "hard.tar": (special(tarfile.LNKTYPE, linkname="x"), "link"),
    "fifo.tar": (special(tarfile.FIFOTYPE), "device"),
    "node.tar": (special(tarfile.CHRTYPE), "device"),
    "cut.tar": (lambda: tarred({"x.txt": NOISE})[:4000], "damaged|cut"),
    "head.tar": (lambda: garbled(tarred({"a.txt": b"a", "b.txt": b"b"}), 1024 + 5), "damaged"),
    "more.tar": (lambda: tarred({"a.txt": b"a"}) + b"x", "behind"),
    "cut.txt.gz": (lambda: gzip.compress(NOISE)[:-12], "gz: damaged"),
    "crc.txt.gz": (lambda: garbled(gzip.compress(NOISE), -6), "gz: damaged"),
    "more.txt.gz": (lambda: gzip.compress(NOISE) + b"x", "gz: damaged"),
    "bomb.txt.gz": (lambda: gzip.compress(bytes(9_000_000)), "times its size"),
    "cut.txt.zst": (lambda: zstandard.compress(NOISE)[:-12], "zst: damaged"),
    "bad.txt.zst": (lambda: garbled(zstandard.compress(b"Ann Lee"), 2), "zst"),
    "bomb.txt.zst": (lambda: zstandard.compress(bytes(90_000_000)), "times its size"),
    "name.zip": (lambda: b"plain", "none"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    make, told = REFUSED[name]
    with pytest.raises(formats.InputError, match=told):
        clean(name, make())


def test_limits_are_shared_by_all_that_is_in_a_file():
    inner = zipped({f"{n}.txt": b"x" for n in range(6)})
    data = zipped({f"{n}.zip": inner for n in range(6)})
    for limits in (Limits(members=20), Limits(bytes=700)):
        work = Work(lambda docs: map(unchanged, docs), limits=limits)
        with pytest.raises(formats.InputError, match="more than"):
            formats.make("zip.v1").convert(io.BytesIO(data), io.BytesIO(), work)


def test_archives_in_archives_end_somewhere():
    data = b"x"
    for depth in range(12):
        data = zipped({"x.zip" if depth else "x.txt": data})
    with pytest.raises(formats.InputError, match="deep"):
        clean("a.zip", data)


def test_several_frames_and_members_are_one():
    assert gzip.decompress(clean("a.gz", gzip.compress(b"a") + gzip.compress(b"b"))) == b"ab"
    data = clean("a.zst", zstandard.compress(b"a") + zstandard.compress(b"b"))
    assert zstandard.ZstdDecompressor().decompressobj().decompress(data) == b"ab"


@pytest.mark.parametrize("name", PACK)
@settings(max_examples=50)
@given(mutated(b"$"))
def test_damage_is_refused_or_harmless(name, data):
    packed = PACK[name]({"a.txt": b"Ann Lee", "b/c.json": b'{"a": "Ann Lee"}'})
    at = zlib.crc32(data) % len(packed)
    try:
        told = clean(name, packed[:at] + data + packed[at + len(data) // 2 :])
    except formats.InputError:
        return
    assert not [one for one in every(told) if left(one, "Ann Lee")]


@pytest.mark.parametrize("name", ["zip.v1", "tar.v1", "gz.v1", "zst.v1"])
def test_contract(name):
    short = name.partition(".")[0]
    packed = {"gz": gzip.compress(b"some text"), "zst": zstandard.compress(b"some text")}
    members = {"folder/some.txt": b"some text"}
    check_format(formats.make(name), packed.get(short) or PACK[f"a.{short}"](members))
