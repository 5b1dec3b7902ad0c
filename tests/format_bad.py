# ruff: noqa: E501
"""Files that mean harm, or that something went wrong with: one maker for each, and what is said.

Each holds `PLANT` near what is wrong with it, so that a message that quotes the file shows it.
"""

import gzip
import io
import json
import sqlite3
import struct
import tarfile
import zipfile
import zlib

import format_clinical
import format_office

PLANT = "Quackenbush"
BYTES = PLANT.encode()
LOL = (
    '<!DOCTYPE r [<!ENTITY a "Quackenbush">'
    + "".join(
        f'<!ENTITY {n} "{f"&{b};" * 10}">' for b, n in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)
OUTSIDE = '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def zipped(members, method=zipfile.ZIP_DEFLATED):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as new:
        for name, data in members.items():
            new.writestr(name, data)
    return sink.getvalue()


def nested(depth):
    data = BYTES
    for level in range(depth):
        data = zipped({"a.zip" if level else "a.txt": data})
    return data


def directory(name, count):
    """A zip that tells of `count` members, all of them in one place."""
    local = zipped({name: b"x"})[: 30 + len(name) + 3]
    head = struct.pack(
        "<4s4B4HL2L5H2L",
        b"PK\1\2",
        20,
        0,
        20,
        0,
        0,
        0,
        0,
        33,
        0x8CDC1683,
        1,
        1,
        12,
        0,
        0,
        0,
        0,
        0,
        0,
    )
    body = b"".join(head + b"%012d" % number for number in range(count))
    least = min(count, 0xFFFF)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, least, least, len(body), len(local), 0)
    return local + body + end


def tarred(**values):
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as new:
        info = tarfile.TarInfo(values.pop("name", PLANT))
        for key, value in values.items():
            setattr(info, key, value)
        new.addfile(info, io.BytesIO(bytes(info.size)) if info.isreg() else None)
    return sink.getvalue()


def office(part, data):
    """A document with another part."""
    return format_office.packed({**format_office.docx_parts(), part: data})


def odt(body):
    parts = format_office.odt_parts()
    parts["content.xml"] = parts["content.xml"].replace("<office:text>", "<office:text>" + body)
    return format_office.packed(parts)


def workbook(cells="", before="", strings=""):
    import openpyxl

    sink = io.BytesIO()
    book = openpyxl.Workbook()
    book.active["A1"] = PLANT
    book.save(sink)
    parts = format_office.unpacked(sink.getvalue())
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(
        "</sheetData>", cells + "</sheetData>"
    ).replace("<worksheet", before + "<worksheet", 1)
    if strings:
        parts["xl/sharedStrings.xml"] = strings
    return format_office.packed(parts)


def encrypted_office():
    """The head of a compound file, with the name of the stream that holds an encrypted package."""
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
    return head + "EncryptedPackage".encode("utf-16-le") + bytes(4096)


def chunk(kind, data):
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))


def png(width, height, *chunks):
    head = struct.pack(">2L5B", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(1 << 16))
    inside = chunk(b"IHDR", head) + b"".join(chunks) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + inside


def jpeg(width, height):
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"
    comment = b"\xff\xfe" + struct.pack(">H", 2 + len(BYTES)) + BYTES
    return (
        b"\xff\xd8"
        + comment
        + b"\xff\xc0"
        + struct.pack(">H", 2 + len(frame))
        + frame
        + b"\xff\xd9"
    )


def tiff(*tags, following=0):
    """One directory of numbers; the next is at `following`."""
    rows = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + rows + struct.pack("<L", following)


def pdf(*objects, trailer=""):
    """A file of these objects, the first of which is the catalogue."""
    data, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        told = body if isinstance(body, bytes) else body.encode()
        data += b"%d 0 obj\n%s\nendobj\n" % (number, told)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return (
        data
        + (
            f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<</Root 1 0 R/Size "
            f"{len(objects) + 1}{trailer}>>\nstartxref\n{len(data)}\n%%EOF\n"
        ).encode()
    )


CATALOGUE = "<</Type/Catalog/Pages 2 0 R>>"


def page(content, more="", box="0 0 200 200"):
    """A page with this content; `more` of its resources."""
    data = content if isinstance(content, bytes) else stream(content.encode())
    return (
        CATALOGUE, "<</Type/Pages/Count 1/Kids[3 0 R]>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 4 0 R/Resources<</Font<</F "
        f"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>{more}>>>>", data,
    )  # fmt: skip


def stream(data, words="", length=None):
    told = len(data) if length is None else length
    return f"<</Length {told}{words}>>stream\n".encode() + data + b"\nendstream"


def objects_bomb(size):
    """A file whose objects lie in a stream that unpacks to `size` bytes."""
    inside = b"1 0 " + b"<</Type/Catalog/Pages 9 0 R>>"
    packer = zlib.compressobj(9)
    body = packer.compress(inside) + b"".join(
        packer.compress(bytes(1 << 20)) for _ in range(size >> 20)
    )
    body += packer.flush()
    packed = stream(body, "/Type/ObjStm/N 1/First 4/Filter/FlateDecode")
    data = b"%PDF-1.7\n2 0 obj\n" + packed + b"\nendobj\n"
    rows = bytes([0, 0, 0, 0, 0, 2, 0, 2, 0, 0, 1, 0, 0, 9, 0])
    table = b"<</Type/XRef/Root 1 0 R/Size 3/W[1 3 1]/Length 15>>stream\n"
    rows = bytes([0, 0, 0, 0, 0, 2, 0, 0, 2, 0, 1, 0, 0, 9, 0])
    return (
        data
        + b"3 0 obj\n"
        + table
        + rows
        + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(data)
    )


def locked_pdf():
    import pikepdf

    sink = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf(*page("BT /F 9 Tf (Quackenbush) Tj ET")))) as opened:
        opened.save(sink, encryption=pikepdf.Encryption(user="x", owner="y"))
    return sink.getvalue()


def database(*statements):
    with sqlite3.connect(":memory:") as db:
        db.execute("CREATE TABLE t (a TEXT)")
        db.executemany("INSERT INTO t VALUES (?)", [(f"{PLANT} {n}" * 200,) for n in range(30)])
        for statement in statements:
            db.execute(statement)
        db.commit()
        return db.serialize()


def torn(data, *places):
    """With other bytes in these places, or at these shares of its length."""
    told = bytearray(data)
    for place in places:
        at = int(place * len(told)) if isinstance(place, float) else place
        told[at : at + 8] = b"\xff\xff\xff\xff\x7f\xff\xff\xff"
    return bytes(told)


def parquet(rows=1000, change=None):
    import pyarrow as pa
    import pyarrow.parquet

    sink = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"a": [PLANT] * rows}), sink)
    return change(sink.getvalue()) if change else sink.getvalue()


def nulls(count):
    """Very many rows in very few bytes."""
    import pyarrow as pa
    import pyarrow.parquet

    sink = io.BytesIO()
    column = pa.array([None] * (1 << 20), pa.string())
    with pyarrow.parquet.ParquetWriter(sink, pa.schema({PLANT: pa.string()})) as writer:
        for _ in range(count >> 20):
            writer.write_table(pa.table({PLANT: column}))
    return sink.getvalue()


def arrow(rows=1000):
    import pyarrow as pa

    sink, table = io.BytesIO(), pa.table({"a": [PLANT] * rows})
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def mail(depth, kind="multipart/mixed"):
    """Parts in parts."""
    head = f"From: {PLANT} <q@example.org>\nMIME-Version: 1.0\n"
    if kind == "message/rfc822":
        return (head + f"Content-Type: {kind}\n\n" * depth + BYTES.decode()).encode()
    opens = "".join(f'Content-Type: {kind}; boundary="b{n}"\n\n--b{n}\n' for n in range(depth))
    return (head + opens + "Content-Type: text/plain\n\nQuackenbush\n").encode()


def dicom(tail):
    """The head of a file, and what is behind it."""
    meta = b"\2\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0"
    return bytes(128) + b"DICM\2\0\0\0UL\4\0" + struct.pack("<L", len(meta)) + meta + tail


def element(group, number, kind, length, data=b""):
    return struct.pack("<HH2sHL", group, number, kind, 0, length) + data


def deflated(size):
    meta = b"\2\0\x10\0UI\x16\x001.2.840.10008.1.2.1.99"
    packer = zlib.compressobj(wbits=-15)
    body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)) + packer.flush()
    return bytes(128) + b"DICM\2\0\0\0UL\4\0" + struct.pack("<L", len(meta)) + meta + body


def gunzip_bomb(size):
    return gzip.compress(bytes(size))


def zst(size, window=0):
    import zstandard

    if window:  # a head that asks for 2 GiB
        return b"\x28\xb5\x2f\xfd\x00" + bytes([(window - 10) << 3]) + b"\1\0\0" + BYTES
    return zstandard.compress(bytes(size))


def deep(opens, count, inside, closes):
    return (opens * count + inside + closes * count).encode()


DEEP_JSON = deep('{"a":[', 50_000, f'"{PLANT}"', "]}")
DEEP_XML = deep("<a>", 50_000, PLANT, "</a>")
FHIR = format_clinical.FHIR


def bad_fhir(**change):
    return json.dumps({"resourceType": "Patient", "name": [{"family": PLANT}], **change}).encode()


# name -> maker, and what the message says
BAD = {
    "bomb.zip": (lambda: zipped({"a.txt": bytes(30_000_000)}), "times its size"),
    "nested.zip": (lambda: nested(12), "deep"),
    "members.zip": (lambda: directory("a.txt", 150_000), "members"),
    "slip.zip": (lambda: zipped({f"../{PLANT}.txt": b"x"}), "out of the archive"),
    "slip.tar": (lambda: tarred(name=f"/{PLANT}.txt"), "out of the archive"),
    "link.tar": (lambda: tarred(type=tarfile.SYMTYPE, linkname="/etc/passwd"), "link"),
    "hard.tar": (lambda: tarred(type=tarfile.LNKTYPE, linkname=PLANT), "link"),
    "loop.tar": (lambda: tarred(type=tarfile.SYMTYPE, linkname=PLANT), "link"),
    "long.tar": (lambda: tarred(name=PLANT * 500) [:700], "damaged|cut|behind"),
    "bomb.txt.gz": (lambda: gunzip_bomb(30_000_000), "times its size"),
    "twice.txt.gz.gz": (lambda: gzip.compress(gunzip_bomb(100_000_000)), "times its size"),
    "bomb.txt.zst": (lambda: zst(100_000_000), "times its size"),
    "window.txt.zst": (lambda: zst(0, 31), "zst: damaged"),
    "magic.png": (lambda: BYTES, "is none"),
    "magic.zip": (lambda: b"PK\3\4" + BYTES * 20, "is none"),
    "magic.docx": (lambda: BYTES, "is none"),
    "lol.xml": (lambda: f"{LOL}<r>&i;</r>".encode(), "declares entities"),
    "outside.xml": (lambda: f"{OUTSIDE}<r>&a;{PLANT}</r>".encode(), "declares entities"),
    "deep.xml": (lambda: DEEP_XML, "deep"),
    "wide.xml": (lambda: b"<r " + b"".join(b'a%d="Quackenbush" ' % n for n in range(100_000)) + b"/>", "attributes"),
    "lol.ccda": (lambda: f"{LOL}<ClinicalDocument>&i;</ClinicalDocument>".encode(), "document type"),
    "deep.ccda": (lambda: b"<ClinicalDocument xmlns='urn:hl7-org:v3'>" + DEEP_XML + b"</ClinicalDocument>", "deep|levels"),
    "lol.docx": (lambda: office("word/document.xml", f"{LOL}<r>&i;</r>"), "document type"),
    "deep.docx": (lambda: office("word/document.xml", DEEP_XML), "damaged|deep"),
    "parts.docx": (lambda: directory("[Content_Ty", 1_000_000), "members"),
    "bomb.docx": (lambda: office("word/hdr.xml", " " * 60_000_000), "unpacked"),
    "lol.xlsx": (lambda: workbook(before=LOL), "document type"),
    "far.xlsx": (lambda: workbook('<row r="1048577"><c r="XFE1048577"><v>1</v></c></row>'), ""),
    "bomb.xlsx": (lambda: workbook(strings="<sst>" + " " * 60_000_000 + "</sst>"), "unpacked"),
    "rows.odt": (lambda: odt('<table:table><table:table-row table:number-rows-repeated="2000000000"><table:table-cell table:number-columns-repeated="2000000000"/></table:table-row></table:table>'), None),
    "locked.docx": (encrypted_office, "password"),
    "locked.pdf": (locked_pdf, "password"),
    "objects.pdf": (lambda: objects_bomb(100 << 20), "damaged|packed"),
    "bomb.pdf": (lambda: pdf(*page(stream(zlib.compress(bytes(100_000_000)), "/Filter/FlateDecode"))), "packed"),
    "chain.pdf": (lambda: pdf(*page(stream(zlib.compress(zlib.compress(bytes(9_000_000))), "/Filter[/FlateDecode/FlateDecode]"))), "twice"),
    "hexed.pdf": (lambda: pdf(*page(stream(zlib.compress(bytes(100_000_000)).hex().encode(), "/Filter[/ASCIIHexDecode/FlateDecode]"))), "packed"),
    "loop.pdf": (lambda: pdf(CATALOGUE, "<</Type/Pages/Count 9/Kids[2 0 R 2 0 R]>>"), "damaged|no pages"),
    "prev.pdf": (lambda: pdf(*page("BT /F 9 Tf (Quackenbush) Tj ET"), trailer="/Prev 9"), None),
    "deep.pdf": (lambda: pdf(*page("[" * 100_000 + "(Quackenbush)" + "]" * 100_000 + " TJ")), None),
    "array.pdf": (lambda: pdf(CATALOGUE, "<</Type/Pages/Count 1/Kids[3 0 R]>>", "[" * 100_000 + "]" * 100_000), "damaged|no pages"),
    "vast.pdf": (lambda: pdf(*page("BT /F 9 Tf (Quackenbush) Tj ET", box="0 0 100000000 100000000")), None),
    "length.pdf": (lambda: pdf(*page(stream(b"BT /F 9 Tf (Quackenbush) Tj ET", length=999_999_999))), None),
    "pixels.pdf": (lambda: pdf(*page("/I Do", "/XObject<</I 5 0 R>>"), stream(zlib.compress(bytes(99)), "/Type/XObject/Subtype/Image/Width 60000/Height 60000/BitsPerComponent 8/ColorSpace/DeviceGray/Filter/FlateDecode")), ""),
    "pixels.png": (lambda: png(32_000, 32_000), "pixels"),
    "text.png": (lambda: png(8, 8, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(20_000_000)))), None),
    "profile.png": (lambda: png(8, 8, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(20_000_000)))), None),
    "pixels.jpg": (lambda: jpeg(65_500, 65_500), "pixels"),
    "pixels.tif": (lambda: tiff((256, 40_000), (257, 40_000), (258, 8), (259, 1), (273, 8), (279, 1)), "pixels"),
    "loop.tif": (lambda: tiff((256, 8), (257, 8), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 8), (279, 64), following=8), None),
    "deep.json": (lambda: DEEP_JSON, "deep"),
    "digits.json": (lambda: b'{"a": "Quackenbush", "n": ' + b"9" * 2_000_000 + b"}", None),
    "deep.jsonl": (lambda: DEEP_JSON + b"\n", "line 1"),
    "deep.yaml": (lambda: deep("[", 50_000, PLANT, "]"), "deep|levels"),
    "steps.yaml": (lambda: "\n".join(" " * n + "a:" for n in range(3_000)).encode(), "deep|levels"),
    "alias.yaml": (lambda: b"a: &a [Quackenbush]\n" + b"".join(b"%c: &%c [%s]\n" % (n + 1, n + 1, b",".join([b"*%c" % n] * 10)) for n in range(97, 120)), None),
    "deep.toml": (lambda: b"a = " + deep("[", 50_000, f'"{PLANT}"', "]"), ""),
    "deep.rtf": (lambda: b"{\\rtf1 " + deep("{", 100_000, PLANT, "}") + b"}", "deep"),
    "bin.rtf": (lambda: b"{\\rtf1 Quackenbush {\\*\\x\\bin2147483647 }}", ""),
    "deep.html": (lambda: deep("<div>", 10_000, PLANT, "</div>"), None),
    "wide.html": (lambda: b"<p " + b"Quackenbush" * 300_000, None),
    "columns.csv": (lambda: b",".join([BYTES] * 100_001) + b"\n", "cells in one record"),
    "quote.csv": (lambda: b'a,b\n1,"Quackenbush' + b"x,\n" * 23_000_000, "MiB in one record"),
    "mixed.csv": (lambda: b"name,note\nQuackenbush,caf\xc3\xa9\nQuackenbush,caf\xe9\n", "byte 43 is not utf-8"),
    "mixed.txt": (lambda: b"Quackenbush caf\xc3\xa9 caf\xe9", "byte 21 is not utf-8"),
    "wide.txt": (lambda: b"\xff\xfeQ\0u\0\0", "utf-16"),
    "kind.fhir.json": (lambda: bad_fhir(resourceType="Quackenbush"), ""),
    "shape.fhir.json": (lambda: bad_fhir(name={"family": {"x": PLANT}}), None),
    "deep.fhir.json": (lambda: b'{"resourceType":"Patient","extension":' + DEEP_JSON + b"}", "deep|JSON"),
    "bars.hl7": (lambda: b"MSH||||||Quackenbush\rPID|1||4711||Quackenbush\r", ""),
    "same.hl7": (lambda: b"MSH|||||LAB|Quackenbush\r", ""),
    "letters.hl7": (lambda: b"MSHA^~\\&ALABAQuackenbush\r", ""),
    "isa.edi": (lambda: format_clinical.X12.replace("ZZ*MERCY", "ZZ*Quackenbush").encode(), ""),
    "length.dcm": (lambda: dicom(element(0x10, 0x10, b"UT", 0xFFFFFFF0, BYTES)), ""),
    "items.dcm": (lambda: dicom(b"".join(element(8, 0x1140, b"SQ", 0xFFFFFFFF) + b"\xfe\xff\0\xe0\xff\xff\xff\xff" for _ in range(20_000)) + BYTES), ""),
    "deflated.dcm": (lambda: deflated(100 << 20), "unpacks"),
    "cut.parquet": (lambda: parquet()[:-100], "damaged|Parquet"),
    "pages.parquet": (lambda: parquet(change=lambda data: torn(data, 8, 20)), "damaged|Parquet"),
    "foot.parquet": (lambda: parquet(change=lambda data: torn(data, len(data) - 12)), ""),
    "nulls.parquet": (lambda: nulls(1 << 24), "values in"),
    "cut.arrow": (lambda: arrow()[:-200], ""),
    "buffers.arrow": (lambda: torn(arrow(), 300, 340), ""),
    "pages.sqlite": (lambda: torn(database(), 0.3, 0.5, 0.7), "damaged|malformed"),
    "size.sqlite": (lambda: torn(database(), 16), ""),
    "trigger.sqlite": (lambda: database("CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t; SELECT 'Quackenbush'; END"), None),
    "view.sqlite": (lambda: database("CREATE VIEW v AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT x FROM c"), None),
    "deep.sql": (lambda: b"INSERT INTO t VALUES (" + deep("(", 50_000, f"'{PLANT}'", ")") + b");", None),
    "quote.sql": (lambda: b"INSERT INTO t VALUES ('Quackenbush", ""),
    "parts.eml": (lambda: mail(10_000), "deep"),
    "mails.eml": (lambda: mail(10_000, "message/rfc822"), "deep"),
    "heads.eml": (lambda: b"From: q@example.org\n" + b"X-Quackenbush: a b\n" * 50_000 + b"\nx", None),
    "names.eml": (lambda: b"From: q@example.org\nContent-Type: text/plain;" + b"".join(b"\n name*%d*=Quackenbush;" % n for n in range(10_000)) + b"\n\nx", None),
}  # fmt: skip
