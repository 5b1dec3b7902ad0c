"""JSON and JSON Lines: what is replaced, what stays as it is written, what is refused."""

import base64
import json
import random
from collections import Counter

import pytest
from format_text import ENGINE, PLANTED, clean, left, mutated, quiet
from hypothesis import given, settings
from hypothesis import strategies as st

from scrubjay import formats
from scrubjay.testing import check_format

SAMPLE = b"""\xef\xbb\xbf{ "note" : "Seen by Ann Lee\\u002c MD", "mrn": 4481923,
\t"list": [1.50, -2e3, true, null, "", {"Ann Lee": "x", "ann@example.org": [], "note": "\\u00e9"}],
  "tool": {"arguments": "{\\"patient\\": \\"Ann Lee\\", \\"n\\": [1]}"} }
"""
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text("ab\u00e9", max_size=3), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def test_layout_and_types_stay():
    told = clean("a.json", SAMPLE).decode("utf-8-sig")
    assert told == SAMPLE.decode("utf-8-sig").replace(
        "Seen by Ann Lee\\u002c MD", "Seen by [PERSON], MD"
    ).replace("4481923", '"[MRN]"').replace('"Ann Lee": "x"', '"[PERSON]": "x"').replace(
        "ann@example.org", "[EMAIL]"
    ).replace('\\"patient\\": \\"Ann Lee\\"', '\\"patient\\":\\"[PERSON]\\"').replace(
        '\\"patient\\":\\"', '\\"patient\\": \\"'
    )


@given(VALUES)
def test_what_holds_nothing_is_copied(value):
    for data in (json.dumps(value), json.dumps(value, indent=2, ensure_ascii=False)):
        assert quiet("a.json", data.encode()) == data.encode()
        assert quiet("a.jsonl", data.encode().replace(b"\n", b"")) == data.encode().replace(
            b"\n", b""
        )


def places(value):
    """One copy of the value for every place where a string can be."""
    yield "$"
    if isinstance(value, list):
        for index, item in enumerate(value):
            for inner in places(item):
                yield [*value[:index], inner, *value[index + 1 :]]
    if isinstance(value, dict):
        for key, item in value.items():
            yield {**value, "$": 1}
            for inner in places(item):
                yield {**value, key: inner}


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_planted_in_every_place(planted, name):
    sample = json.loads(SAMPLE.decode("utf-8-sig"))
    lines = [json.dumps(one).replace("$", planted) for one in places(sample)]
    lines += [json.dumps({"a": json.dumps([line])}) for line in lines]
    lines += [json.dumps(planted).replace(planted[0], f"\\u{ord(planted[0]):04x}", 1)]
    lines += [json.dumps({"file": base64.b64encode((planted + " x" * 300).encode()).decode()})]
    lines += [json.dumps(["data:text/plain;base64," + base64.b64encode(planted.encode()).decode()])]
    lines += [json.dumps(["data:," + planted.replace(" ", "%20")])]
    for data in lines if name == "a.json" else ["\n".join(lines)]:
        told = clean(name, data.encode())
        assert not left(told, planted)
        assert all(json.loads(line) is not None for line in told.splitlines())


def test_a_number_that_is_replaced_is_quoted():
    import scrubjay
    from scrubjay import Policy, Rule

    engine = scrubjay.load(Policy("p", default=Rule("mask.v1")), profile="patterns")
    assert clean("a.json", b'{"mrn": 4481923}', engine) == b'{"mrn": "*******"}'


def test_what_looks_like_a_file():
    noise = random.Random(1).randbytes(300).replace(b"\0", b"\1")
    record = {
        "signature": base64.b64encode(noise).decode(),
        "t": "data: seen, and well",
        "u": "data:,",
    }
    told = json.loads(clean("a.json", json.dumps(record).encode(), told=(left_out := Counter())))
    assert told == {**record, "signature": ""} and left_out == {"base64 of no known kind": 1}


def test_a_list_of_lines_is_one_text():
    note = {"source": ["Seen by Ann\n", "Lee, MD\n", "x"], "text/html": ["<p>A<b>n\n", "n Lee</b>"]}
    data = json.dumps({**note, "plain": ["a\n", "b"], "words": ["Ann", "Lee"]})
    told = json.loads(clean("a.ipynb", data.encode()))
    assert told["source"] == ["Seen by [PERSON], MD\n", "x"]
    assert told["plain"] == ["a\n", "b"] and told["words"] == ["Ann", "Lee"]
    assert quiet("a.ipynb", data.encode()) == data.encode()


def test_what_is_quoted_once_more_is_read():
    hidden = {"a": "Ann%20Lee", "b": "x=1&by=Ann+Lee&mrn=Q7", "d": "9%25",
              "c": "QW5uIExlZSBpcyBoZXJl", "password": "QW5uIExlZSBpcyBoZXJl"}  # fmt: skip
    told = json.loads(clean("a.json", json.dumps(hidden).encode()))
    assert told == {
        "a": "[PERSON]", "b": "x=1&by=[PERSON]&mrn=[MRN]", "d": "9%25", "password": "[PASSWORD]",
        "c": base64.b64encode(b"[PERSON] is here").decode(),
    }  # fmt: skip


def test_keys_stay_apart():
    told = clean("a.json", b'{"a@example.org": 1, "b@example.org": 2, "same": 1, "same": 2}')
    assert told == b'{"[EMAIL]": 1, "[EMAIL] 2": 2, "same": 1, "same": 2}'


def test_a_part_of_a_name_is_one_and_a_things_is_not():
    data = b'{"name": {"family": "zubrickle"}, "note": "Zubrickle is well"}'
    assert clean("a.json", data) == b'{"name": {"family": "[PERSON]"}, "note": "[PERSON] is well"}'
    data = b'{"drug": {"family": "Penicillins"}}'
    assert clean("a.json", data) == data


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "cp1252", "ascii"])
def test_encodings(encoding):
    data = json.dumps(["caf\u00e9 Ann Lee"], ensure_ascii=encoding == "ascii").encode(encoding)
    told = clean("a.json", data, encoding=encoding)
    assert json.loads(told.decode(encoding)) == ["caf\u00e9 [PERSON]"]


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b'{"a":1,}', b"[1]]", b"[" * 200_000, b'["\\ud800"]', b'"\xff"', b"[01]",
     b"{'a': 1}", b'["a\nb"]', json.dumps(json.dumps(json.dumps(["x"]))).encode()[:-1]],
)  # fmt: skip
def test_refused(data):
    with pytest.raises(formats.InputError):
        clean("a.json", data)


def test_json_in_strings_ends_somewhere():
    data = "[]"
    for _ in range(12):
        data = json.dumps([data])
    with pytest.raises(formats.InputError, match="deep"):
        clean("a.json", data.encode())


@settings(max_examples=50)
@given(mutated(SAMPLE))
def test_damage_is_refused_or_harmless(data):
    try:
        told = clean("a.json", data)
    except formats.InputError:
        return
    assert not left(told, "ann@example.org") or b"ann@example.org" not in data


def test_contract():
    check_format(formats.make("json.v1"), SAMPLE)
    assert ENGINE
