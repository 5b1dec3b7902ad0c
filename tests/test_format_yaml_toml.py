"""YAML and TOML: layout, comments and types stay; every place of a string is read."""

import io
import re
import tomllib
from collections import Counter

import pytest
import yaml
from format_text import PLANTED, clean, left, mutated, quiet
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from scrubjay import formats
from scrubjay.testing import check_format

YAML_SAMPLE = b"""%YAML 1.1
--- # first $
patient: &anchor   # who: $
  "name" : 'it''s $'
  mrn: 4481923
  notes: |
    Seen by $.

      indented
  folded: >-
    long text of
    $ here
  quoted: "tab\\t$ \\u263a"
  flow: {a: [1, 2.50, ~, $], '$ key': x}   # end
  plain: several $
    lines
? $ complex
: - *anchor
  - ! tagged
  - - $
---
other: $
...
"""
TOML_SAMPLE = b"""# about $
title = "a \\"$\\" \\u263a"
born = 1985-03-02  # $
mrn = 4481923
n = [1, 2.50, 0x1F, true, inf, 1979-05-27 07:32:00Z, ["$", { a.b = '$', "$ key" = 1 }]]
[table."$".inner]
long = \"\"\"
first $
second \"\" x\"\"\"
raw = '''$ \\n'''
"quoted $".x = 'plain'
[[array]]
x = { y = "$" }
"""
SAMPLES = {"a.yaml": YAML_SAMPLE, "a.toml": TOML_SAMPLE}


def copies(sample):
    """The sample once for every place where a string can be."""
    for found in re.finditer(rb"\$", sample):
        told = sample[: found.start()] + b"@@" + sample[found.end() :]
        yield told.replace(b"$", b"x").replace(b"@@", b"$")


def read(name, data):
    if name == "a.toml":
        return tomllib.loads(data.decode())
    return list(yaml.load_all(data, yaml.BaseLoader))


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("name", SAMPLES)
def test_planted_in_every_place(name, planted):
    assert len(list(copies(SAMPLES[name]))) > 8
    for data in copies(SAMPLES[name]):
        told = clean(name, data.replace(b"$", planted.encode()))
        assert not left(told, planted)
        read(name, told)
        if name == "a.yaml":
            list(YAML().load_all(io.BytesIO(told)))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "a: &Ann_Lee 1\nb: *Ann_Lee"),
        ("a.yaml", "a: !Ann_Lee 1"),
        ("a.yaml", "a: !!binary |\n  QW5uIExl\n  ZQ=="),
        ("a.yaml", "a: !<tag:yaml.org,2002:binary> QW5uIExlZQ=="),
        ("a.yaml", "a: !<tag:Ann-Lee> 1"),
        ("a.yaml", "a: | # Ann Lee\n  x\n"),
        ("a.yaml", "a: [x, # Ann Lee\n y]"),
        ("a.yaml", 'a: "\\x41nn\\x20Lee"'),
        ("a.yaml", 'a: "Ann\n  Lee"'),
        ("a.yaml", "a: >\n Ann\n Lee\n"),
        ("a.yaml", 'a: \'{"b": "\\u0041nn Lee"}\''),
        ("a.yaml", "a: <p>A<b>nn Lee</b></p>"),
        ("a.yaml", "{Ann Lee: 1, ? Ann Lee : 2}"),
        ("a.toml", 'a = "\\u0041nn Lee"'),
        ("a.toml", 'a = """Ann \\\n  Lee"""'),
        ("a.toml", 'a = "{\\"b\\": \\"Ann Lee\\"}"'),
        ("a.toml", "[a]\nb = [\n 'Ann Lee', # Ann Lee\n]"),
        ("a.toml", "'Ann Lee' = 1\n[x.'Ann Lee']\n[['Ann Lee y']]"),
        ("a.toml", "Ann-Lee = 1"),
    ],
)
def test_nothing_hides(name, text):
    told = clean(name, text.encode())
    if "-Lee" not in text or "tag" in text:
        assert not re.search(rb"Ann\W|nn.Lee|QW5u", told), told
    read(name, told)


REWRITTEN = [
    ("4481923", '"[MRN]"'),
    ("'it''s [PERSON]'", '"[PERSON]"'),
    (">-\n    long text of\n    [PERSON] here", "|-\n    long text of [PERSON] here"),
    ("\\u263a", "\u263a"),
    ("several [PERSON]\n    lines", '"several [PERSON] lines"'),
    ("~, [PERSON]", '~, "[PERSON]"'),
    ("'[PERSON] key'", '"[PERSON] key"'),
    ("? [PERSON] complex", '? "[PERSON] complex"'),
    ("- - [PERSON]", '- - "[PERSON]"'),
    ("other: [PERSON]", 'other: "[PERSON]"'),
]


def test_layout_stays():
    for name, sample in SAMPLES.items():
        assert quiet(name, sample) == sample
    told = clean("a.yaml", YAML_SAMPLE.replace(b"$", b"Ann Lee")).decode()
    expected = YAML_SAMPLE.decode().replace("$", "[PERSON]")
    for old, new in REWRITTEN:
        assert old in expected, old
        expected = expected.replace(old, new)
    assert told == expected


def test_types_stay():
    data = clean("a.toml", TOML_SAMPLE.replace(b"$", b"Ann Lee"))
    told = tomllib.loads(data.decode())
    assert told["mrn"] == "[MRN]" and told["n"][:2] == [1, 2.5] and told["n"][3] is True
    assert told["table"]["[PERSON]"]["inner"]["long"] == 'first [PERSON]\nsecond "" x'
    assert told["array"] == [{"x": {"y": "[PERSON]"}}]


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
TEXT |= st.text("ab \n#:-'\"|>")
VALUES = st.recursive(
    st.integers() | st.booleans() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


class Wrap:
    """An engine that adds a sign to every text that is not a number."""

    def stream(self, documents):
        from scrubjay.report import unchanged
        from scrubjay.testing import blanked

        for document in documents:
            yield blanked(document) if re.search("[a-z]", document.text) else unchanged(document)


@settings(max_examples=150)
@given(VALUES, st.sampled_from([None, "|", ">", '"', "'"]), st.booleans())
def test_any_yaml_stays_yaml(value, style, flow):
    options = {"default_style": style, "default_flow_style": flow, "allow_unicode": True}
    data = yaml.safe_dump(value, **options).encode()
    assert quiet("a.yaml", data) == data
    told = clean("a.yaml", data, Wrap())
    before, after = (walk(yaml.load(one, yaml.BaseLoader)) for one in (data, told))
    assert Counter(map(type, after)) <= Counter(map(type, before))


def walk(value):
    yield value
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for inner in value:
            yield from walk(inner)


@pytest.mark.parametrize("style", ["|", "|-", "|+", ">", ">-", "|2", ">+"])
@pytest.mark.parametrize(
    "text", ["Ann Lee x\n", "a\n\nAnn Lee\n\n\n", "  a\nAnn Lee", "Ann Lee: \U0001f600\n"]
)
def test_blocks(style, text):
    indented = "".join(f"  {line}" if line.strip() else line for line in text.splitlines(True))
    data = f"a: {style}\n{indented}\nb: 1\n".encode()
    try:
        before = yaml.load(data, yaml.BaseLoader)
    except yaml.YAMLError:
        return
    told = yaml.load(clean("a.yaml", data), yaml.BaseLoader)
    assert told == {"a": before["a"].replace("Ann Lee", "[PERSON]"), "b": "1"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.yaml", b"a: [1"),
        ("a.yaml", b"a: b: c"),
        ("a.yaml", b"[" * 9000),
        ("a.yaml", b'a: "\\ud800"'),
        ("a.yaml", b"- " * 9000),
        ("a.yaml", b"a: \x01"),
        ("a.toml", b"a = "),
        ("a.toml", b"a = 1\na = 2"),
        ("a.toml", b"a = " + b"[" * 90000),
        ("a.toml", b"a = 1979-13-01"),
        ("a.toml", b"\xff"),
        ("a.yaml", b"\xff"),
        ("a.yaml", b"*a"),
        ("a.yaml", b"%TAG ! tag:Ann_Lee,2000:\n---\na: 1"),
        ("a.yaml", b"%YAML 9.9\n---\na"),
    ],
)
def test_refused(name, data):
    if data == b"*a":  # an alias of nothing builds nothing
        assert clean(name, data) == data
        return
    with pytest.raises(formats.InputError):
        clean(name, data)


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=50)
@given(st.data())
def test_damage_is_refused_or_harmless(name, data):
    sample = data.draw(mutated(SAMPLES[name].replace(b"$", b"Ann Lee")))
    try:
        told = clean(name, sample)
    except formats.InputError:
        return
    if name == "a.toml":
        tomllib.loads(told.decode())


@pytest.mark.parametrize("name", SAMPLES)
def test_contract(name):
    text = {
        "a.yaml": b"# some words\nkey: &name plain text\nlist: [one two, 'three four']\n",
        "a.toml": b"# some words\nkey = 'plain text'\nlist = ['one two', \"three\"]\n",
    }
    check_format(formats.make(f"{name[2:]}.v1"), text[name])
