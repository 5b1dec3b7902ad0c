"""Samples of tables, for tests and benchmarks: about so many bytes of patients with a note each."""

import contextlib
import csv
import io
import json
import random
import sqlite3

NAMES = ["Zora Quillfeather", "Anneke Vandermolen", "Teodoro Brightwater"]
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


def rows_of_text(size):
    """Comma-separated."""
    sink = io.StringIO()
    csv.writer(sink).writerows([HEADER, *rows(size)])
    return sink.getvalue().encode()


def json_lines(size):
    """A record a line."""
    lines = (json.dumps(dict(zip(HEADER, row, strict=True))) for row in rows(size))
    return "\n".join(lines).encode() + b"\n"


def log_lines(size):
    """A text a line."""
    lines = (" ".join(map(str, row)).replace("\n", " ") for row in rows(size))
    return "\n".join(lines).encode() + b"\n"


def parquet(size):
    """Columns with their types."""
    import pyarrow.parquet

    sink = io.BytesIO()
    pyarrow.parquet.write_table(_arrow(size), sink)
    return sink.getvalue()


def arrow(size):
    """The same, as Arrow keeps it."""
    import pyarrow as pa

    table, sink = _arrow(size), io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _arrow(size):
    import pyarrow as pa

    return pa.table(dict(zip(HEADER, zip(*rows(size), strict=True), strict=True)))


def workbook(size):
    """One sheet."""
    import openpyxl

    book = openpyxl.Workbook()
    for row in [HEADER, *rows(size)]:
        book.active.append(row)
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def _database(size):
    db = sqlite3.connect(":memory:")
    db.execute(f"CREATE TABLE patient ({', '.join(HEADER)})")
    db.executemany("INSERT INTO patient VALUES (?, ?, ?, ?, ?, ?)", rows(size))
    db.commit()
    return contextlib.closing(db)


def database(size):
    """One table."""
    with _database(size) as db:
        return db.serialize()


def dump(size):
    """Its dump."""
    with _database(size) as db:
        return "\n".join(db.iterdump()).encode() + b"\n"


SAMPLES = {
    "lines.v1": log_lines,
    "jsonl.v1": json_lines,
    "csv.v1": rows_of_text,
    "parquet.v1": parquet,
    "arrow.v1": arrow,
    "xlsx.v1": workbook,
    "sqlite.v1": database,
    "sql.v1": dump,
}
