"""Samples of tables, for tests and benchmarks: about so many bytes of patients with a note each."""

import contextlib
import csv
import html
import io
import json
import random
import sqlite3
import tarfile
import zipfile

NAMES = ["Zora Quillfeather", "Anneke Vandermolen", "Teodoro Brightwater"]
SPACES = "urn:oasis:names:tc:opendocument:xmlns:"
HEADER = ["patient_id", "patient_name", "dob", "sex", "dose", "note"]


def rows(size):
    """Rows of about so many bytes in all; some cells hold quotes and line ends."""
    dice = random.Random(1)
    made, said = [], 0
    while said < size:
        number, name = len(made) + 1, dice.choice(NAMES)
        day = f"{dice.randint(1930, 2010)}-0{dice.randint(1, 9)}-1{dice.randint(0, 9)}"
        phone = f"555-010-{dice.randint(1000, 9999)}"
        note = f'{name.split()[1]} seen, said "ok".\nCalls {phone}; '
        made.append([4000000 + number, name, day, "MF"[number % 2], number % 90, note * 3])
        said += sum(len(str(cell)) + 1 for cell in made[-1])
    return made


def log_lines(size):
    """A text a line."""
    lines = (" ".join(map(str, row)).replace("\n", " ") for row in rows(size))
    return "\n".join(lines).encode() + b"\n"


def as_csv(header, rows, encoding="utf-8"):
    """The first row has the names."""
    sink = io.StringIO()
    csv.writer(sink).writerows([header, *rows])
    return sink.getvalue().encode(encoding)


def as_lines(header, rows):
    """JSON Lines."""
    told = (json.dumps(dict(zip(header, row, strict=True))) for row in rows)
    return "\n".join(told).encode() + b"\n"


def _frame(header, rows):
    import pyarrow as pa

    return pa.table(dict(zip(header, map(list, zip(*rows, strict=True)), strict=True)))


def as_parquet(header, rows):
    """Columns with their types."""
    import pyarrow.parquet

    sink = io.BytesIO()
    pyarrow.parquet.write_table(_frame(header, rows), sink)
    return sink.getvalue()


def as_arrow(header, rows):
    """Feather, version 2."""
    import pyarrow as pa

    table, sink = _frame(header, rows), io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def as_workbook(header, rows):
    """One sheet."""
    import openpyxl

    book = openpyxl.Workbook()
    for row in [header, *rows]:
        book.active.append(row)
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def as_flat(header, rows):
    """A spreadsheet of OpenDocument, in one file of XML."""
    body = "".join(
        "<table:table-row>" + "".join(map(_flat_cell, row)) + "</table:table-row>"
        for row in [header, *rows]
    )
    return (
        f'<?xml version="1.0"?><office:document xmlns:office="{SPACES}office:1.0" '
        f'xmlns:table="{SPACES}table:1.0" xmlns:text="{SPACES}text:1.0" '
        'office:mimetype="application/vnd.oasis.opendocument.spreadsheet"><office:body>'
        f'<office:spreadsheet><table:table table:name="a">{body}</table:table>'
        "</office:spreadsheet></office:body></office:document>"
    ).encode()


def _flat_cell(value):
    if value is None:
        return "<table:table-cell/>"
    told = f'float" office:value="{value}' if isinstance(value, int | float) else "string"
    return (
        f'<table:table-cell office:value-type="{told}"><text:p>{html.escape(str(value))}</text:p>'
        "</table:table-cell>"
    )


def as_spreadsheet(header, rows):
    """The same, packed."""
    sink = io.BytesIO()
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    with zipfile.ZipFile(sink, "w") as packed:
        packed.writestr("mimetype", kind)
        told = (
            as_flat(header, rows).decode().replace("office:document ", "office:document-content ")
        )
        packed.writestr("content.xml", told.replace("office:document>", "office:document-content>"))
        packed.writestr(
            "META-INF/manifest.xml",
            f'<manifest:manifest xmlns:manifest="{SPACES}manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
            "</manifest:manifest>",
        )
    return sink.getvalue()


def _stored(header, rows):
    db = sqlite3.connect(":memory:")
    db.execute(f"CREATE TABLE person ({', '.join(header)})")
    db.executemany(f"INSERT INTO person VALUES ({', '.join('?' * len(header))})", rows)
    db.commit()
    return contextlib.closing(db)


def as_database(header, rows):
    """SQLite."""
    with _stored(header, rows) as db:
        return db.serialize()


def as_dump(header, rows):
    """Its dump."""
    with _stored(header, rows) as db:
        return "\n".join(db.iterdump()).encode() + b"\n"


def as_copied(header, rows):
    """A dump of PostgreSQL."""
    head = f"CREATE TABLE person ({', '.join(f'{name} text' for name in header)});\n"
    told = ["\t".join("\\N" if v is None else str(v) for v in row) for row in rows]
    return "\n".join([f"{head}COPY person FROM stdin;", *told, "\\.", ""]).encode()


def zipped(name, data):
    """A file in a folder of a zip."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(f"x/{name}", data)
    return sink.getvalue()


def tarred(name, data):
    """A file in a .tgz."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz") as packed:
        info = tarfile.TarInfo(f"x/{name}")
        info.size = len(data)
        packed.addfile(info, io.BytesIO(data))
    return sink.getvalue()


TABLES = {
    "a.csv": as_csv, "a.jsonl": as_lines, "a.parquet": as_parquet, "a.arrow": as_arrow,
    "a.xlsx": as_workbook, "a.fods": as_flat, "a.ods": as_spreadsheet, "a.sqlite": as_database,
    "a.sql": as_dump, "copied.sql": as_copied,
}  # fmt: skip
SAMPLES = {
    "lines.v1": log_lines,
    "jsonl.v1": lambda size: as_lines(HEADER, rows(size)),
    "csv.v1": lambda size: as_csv(HEADER, rows(size)),
    "parquet.v1": lambda size: as_parquet(HEADER, rows(size)),
    "arrow.v1": lambda size: as_arrow(HEADER, rows(size)),
    "xlsx.v1": lambda size: as_workbook(HEADER, rows(size)),
    "sqlite.v1": lambda size: as_database(HEADER, rows(size)),
    "sql.v1": lambda size: as_dump(HEADER, rows(size)),
}
