"""OpenDocument: nothing planted is left, and structure stays."""

import base64
import io
import random
import re
from contextlib import suppress

import pytest
from format_office import (
    AUTHOR,
    NAME,
    ODF_SPACES,
    SSN,
    left,
    odt_parts,
    packed,
    planted,
    unpacked,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import scrubjay
from scrubjay.errors import InputError
from scrubjay.formats import kinds, make
from scrubjay.formats.officepack import EMPTY
from scrubjay.formats.work import Work
from scrubjay.testing import FakeDetector, check_format

ENGINE = scrubjay.load("everything", profile="patterns", detectors=[FakeDetector({NAME: "PERSON"})])
SECRETS = (NAME, SSN, AUTHOR, "536904399", "2024-03-05")
GOOD = packed(odt_parts())


def converted(data, name=""):
    work, target = Work(ENGINE.stream), io.BytesIO()
    make(kinds.sample(data, name)).convert(io.BytesIO(data), target, work)
    return target.getvalue(), work.left_out


def test_nothing_planted_is_left():
    new, told = converted(GOOD)
    assert not left(new, SECRETS)
    wanted = ("macro", "thumbnail", "embedded object", "image")
    assert all(told[what] for what in wanted)


def test_what_is_not_a_value_stays():
    new, _ = converted(GOOD)
    parts = {name: data.decode("latin-1") for name, data in unpacked(new).items()}
    assert next(iter(parts)) == "mimetype" and new[30:38] == b"mimetype"
    content = parts["content.xml"]
    assert "Seen by [PERSON]<text:span" in content and "<text:s/></text:span>," in content
    assert content.count("mark_1") == 2 and content.count('"name_') >= 2
    assert "AddFrameOffsets" in parts["settings.xml"] and "PrinterName" not in parts["settings.xml"]
    assert "About [PERSON]" in parts["meta.xml"] and "#ff0000" in content


def flat(body, kind="text", more=""):
    """A file that is one part."""
    return (
        f'<?xml version="1.0"?><office:document {ODF_SPACES} office:mimetype='
        f'"application/vnd.oasis.opendocument.{kind}">{more}'
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document>"
    ).encode()


def test_flat_files():
    picture = base64.b64encode(b"GIF89a" + NAME.encode()).decode()
    body = f'<text:p>{NAME} <draw:frame draw:name="{NAME}"><draw:image><office:binary-data>{picture}</office:binary-data></draw:image></draw:frame></text:p>'  # noqa: E501
    ole = f"<text:p><draw:frame><draw:object-ole><office:binary-data>{picture}</office:binary-data></draw:object-ole></draw:frame></text:p>"  # noqa: E501
    link = (
        f'<text:p><draw:frame><draw:image xlink:href="file:///{NAME}.png"/></draw:frame></text:p>'
    )
    new, told = converted(flat(body + ole + link), f"{NAME}.fodt")
    assert not left(new, SECRETS) and picture.encode() not in new
    assert told == {"image": 1, "embedded object": 1, "link to another file": 1}
    assert b"<text:p>[PERSON] <draw:frame" in new and base64.b64encode(EMPTY) in new
    check_format(make("odf.v1"), flat(body))
    with pytest.raises(InputError):
        converted(flat(body, "database"))


def test_deleted_text_is_read_where_it_was():
    """Neither reading shows the name whole, but with what was deleted or inserted."""
    regions = (
        "<text:changed-region text:id='c1'><text:deletion><office:change-info><dc:creator>"
        f"{AUTHOR}</dc:creator><dc:date>2024-03-05T10:00:00</dc:date></office:change-info>"
        "<text:p>Lee</text:p><text:p>gone Ann Lee too</text:p></text:deletion>"
        "</text:changed-region><text:changed-region text:id='c2'><text:insertion/>"
        "</text:changed-region><text:changed-region text:id='c3'><text:deletion>"
        "<text:p>without a mark, Ann Lee</text:p></text:deletion></text:changed-region>"
    )
    body = (
        f"<text:tracked-changes>{regions}</text:tracked-changes><text:p>Seen: Ann "
        "<text:change text:change-id='c1'/><text:change-start text:change-id='c2'/>left "
        "<text:change-end text:change-id='c2'/>home</text:p>"
    )
    new, told = converted(flat(body))
    shown = new.decode()
    assert not left(new, SECRETS) and not told
    assert "Seen: [PERSON]<text:change" in shown and ">left <text:change-end" in shown
    assert "<text:p>gone [PERSON] too" in shown and "without a mark, [PERSON]" in shown


def test_the_first_row_of_a_sheet_says_what_cells_are():
    """As in separated values: a number under `mrn`, a name that nobody knows, found in a note."""
    cell = "<table:table-cell {}><text:p>{}</text:p></table:table-cell>"
    rows = [
        ("", ["patient_name", "mrn", "dob", "dose", "note"]),
        ("Quill", ["Quillfeather", "4481923", "1950-01-02", "2.5", "Quillfeather is well"]),
    ]
    table = "".join(
        "<table:table-row>"
        + "".join(cell.format(_typed(t), t) for t in texts)
        + "</table:table-row>"
        for _, texts in rows
    )
    new, _ = converted(flat(f'<table:table table:name="a">{table}</table:table>', "spreadsheet"))
    shown = re.findall("<text:p>(.*?)</text:p>", new.decode())[5:]
    assert shown == ["[PERSON]", "[MRN]", "[BIRTH_DATE]", "2.5", "[PERSON] is well"]
    assert not left(new, ["Quillfeather", "4481923", "1950-01-02"]) and b'value="2.5"' in new


def test_the_name_of_a_property_or_field_says_what_it_is():
    """No detector knows the number; what the property says is found in the text, too."""
    told = "<meta:user-defined meta:name='{}' meta:value-type='{}'>{}</meta:user-defined>"
    rows = ("MRN", "float", "4481923"), ("dob", "date", "1950-01-02"), ("Dose", "float", "12")
    meta = "".join(told.format(*row) for row in rows)
    field = "<text:variable-set text:name='patient_name'>Quillfeather</text:variable-set>"
    body = f"<text:p>4481923 is well</text:p><text:p>{field}</text:p><text:p>Quillfeather</text:p>"
    new, _ = converted(flat(body, more=f"<office:meta>{meta}</office:meta>"))
    assert not left(new, ["4481923", "1950", "Quillfeather"])
    assert b"[MRN] is well" in new and b'"float">12<' in new and b'"string">[MRN]<' in new


def test_a_cell_is_what_its_column_says_whatever_else_its_policy_keeps():
    """A birth date goes though dates stay, computed or seen; what stays is read all the same."""
    rules = {"DATE": scrubjay.Rule("keep.v1"), "BIRTH_DATE": scrubjay.Rule("redact.v1")}
    keeps = scrubjay.Policy("p", rules=rules)
    rows = (
        (("", "dob"), ("", "visit_date")),
        (("1950-01-02", "02.01.1950"), ("1999-03-04", f"{SSN} on 1999-03-04")),
    )
    cell = '<table:table-cell office:date-value="{}"><text:p>{}</text:p></table:table-cell>'
    cells = ("".join(cell.format(*one) for one in row) for row in rows)
    cells = "".join(f"<table:table-row>{row}</table:table-row>" for row in cells)
    work, target = Work(scrubjay.load(keeps, profile="patterns").stream), io.BytesIO()
    data = flat(f"<table:table>{cells}</table:table>", "spreadsheet")
    make("odf.v1").convert(io.BytesIO(data), target, work)
    shown = target.getvalue()
    assert not left(shown, ["1950", SSN]) and b'date-value="1999-03-04"' in shown


def _typed(text):
    kind = "float" if re.fullmatch(r"[\d.]+", text) else "date" if text[:2] == "19" else "string"
    value = {"float": "value", "date": "date-value"}.get(kind)
    told = f' office:{value}="{text}"' if value else ""
    return f'office:value-type="{kind}"{told} table:formula="of:=[.A1]"'


def test_a_copy_of_a_copy():
    check_format(make("odf.v1"), GOOD)


@pytest.mark.parametrize("value", [NAME, SSN, "AnnLee", "Ann_Lee"])
def test_every_string_is_looked_at(value):
    parts = odt_parts()
    for name in [n for n in parts if n.endswith(".xml")]:
        with suppress(InputError):
            new, _ = converted(packed({**parts, name: planted(parts[name], value)}))
            for member, data in unpacked(new).items():
                assert not left(data, [value]), (name, member)


@pytest.mark.parametrize(
    "change",
    [
        {"META-INF/manifest.xml": "<m><file-entry><encryption-data/></file-entry></m>"},
        {"mimetype": "application/vnd.oasis.opendocument.database"},
        {"content.xml": "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"},
        {"content.xml": "<office:document-content"},
        {"Pictures/big.png": b"\0" * (1 << 23)},
    ],
)
def test_bad_files_are_refused(change):
    with pytest.raises(InputError):
        converted(packed({**odt_parts(), **change}), "a.odt")


@settings(max_examples=50)
@given(st.randoms(use_true_random=False))
def test_damage_is_an_input_error_or_harmless(source: random.Random):
    data = bytearray(GOOD)
    if source.random() < 0.5:
        name = source.choice([n for n in odt_parts() if n.endswith(".xml")])
        part = bytearray(odt_parts()[name].encode())
        for _ in range(source.randint(1, 5)):
            at = source.randrange(len(part) + 1)
            part[at : at + source.randint(0, 9)] = source.randbytes(source.randint(0, 3))
        data = bytearray(packed({**odt_parts(), name: bytes(part)}))
    else:
        for _ in range(source.randint(1, 5)):
            data[source.randrange(len(data))] = source.randrange(256)
    with suppress(InputError):
        converted(bytes(data), "a.odt")
