"""Tokens as docs/spec/token.md has them: the vectors, a reference, and what bends them."""

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("cryptography")

import base64
import binascii
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given, settings
from hypothesis import strategies as st

from scrubjay import errors
from scrubjay.keys import Key
from scrubjay.testing import CANARY, canary
from scrubjay.vault import packets, siv, token
from scrubjay.vault.packets import ALPHABET
from scrubjay.vault.token import Context, Mint

VECTORS = Path(__file__).parent.parent / "vectors" / "token"
CONTEXT = Context("north", "study-7", "PERSON")
MINT = Mint({1: Key(bytes(32))}, CONTEXT)
LONG = {name: MINT.tokens([name * 30])[0] for name in ("a", "b")}


def vectors(kind):
    return sorted(VECTORS.glob(f"{kind}-*.json"))


def told(path):
    return json.loads(path.read_text("utf-8"))


def mint(case):
    keys = {case["version"]: Key(bytes.fromhex(case["key"]))}
    context = Context(case["tenant"], case["domain"], case["label"])
    return Mint(keys, context, step=case["step"])


# The vectors


@pytest.mark.parametrize("path", vectors("plain"), ids=lambda p: p.stem)
def test_a_value_has_this_token_and_comes_back(path):
    case = told(path)
    made = mint(case)
    assert made.tokens([case["value"]]) == [case["token"]] == [reference(case)]
    assert made.tokens([case["value"]] * 100) == [case["token"]] * 100, "sealed together"
    assert made.read([case["token"]]) == [case["value"]]


@pytest.mark.parametrize("path", vectors("bent"), ids=lambda p: p.stem)
def test_a_bent_token_is_read_right(path):
    case = told(path)
    assert mint(case).read([case["token"]]) == [case["value"]]


@pytest.mark.parametrize("path", vectors("bad"), ids=lambda p: p.stem)
def test_a_wrong_token_is_refused_and_told_why(path):
    case = told(path)
    good = mint(case).tokens(["x"])[0]
    with pytest.raises(errors.VaultError, match=f"^token 2 of 2: .*{case['refused']}"):
        mint(case).read([good, case["token"]])


@pytest.mark.parametrize("path", vectors("find"), ids=lambda p: p.stem)
def test_tokens_are_found_in_a_text(path):
    case = told(path)
    found = list(packets.find(case["text"]))
    assert [[case["text"][at.start : at.end], at.whole] for at in found] == case["found"]
    for at in found:
        if at.whole:
            packets.unpack(case["text"][at.start : at.end])


def reference(case):
    """The spec's clauses one after the other, with nothing of ours."""
    key = bytes.fromhex(case["key"])

    def derive(*parts):
        message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.digest(key, message, "sha256")

    parts = ["scrubjay token", "Q", case["tenant"], case["domain"], case["label"]]
    told = [part.encode() for part in [*parts, str(case["version"])]]
    bound = b"".join(len(part).to_bytes(4, "big") + part for part in told)
    plain = case["value"].encode() or b"\xff"
    while (len(plain) + 20) % case["step"]:
        plain += b"\xff"
    secret = derive(b"token.v1", b"mac") + derive(b"token.v1", b"ctr")
    sealed = AESSIV(secret).encrypt(plain, [bound])
    head = bytes([case["version"], hashlib.sha256(case["label"].encode()).digest()[0]])
    check = binascii.crc_hqx(b"Q" + head + sealed, 0).to_bytes(2, "big")
    rfc4648 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    symbols = base64.b32encode(head + sealed + check).decode()
    return f"UQ{symbols.translate(str.maketrans(rfc4648, ALPHABET))}U"


# Promises


@settings(max_examples=100)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), max_size=120))
def test_every_text_comes_back_exactly_however_many(values):
    tokens = MINT.tokens(values)
    assert MINT.read(tokens) == values
    assert tokens == [MINT.tokens([value])[0] for value in values], "alone and in company"
    assert len(set(tokens)) == len(set(values))


@settings(max_examples=200)
@given(st.data())
def test_one_changed_character_is_never_read_wrong(data):
    at = data.draw(st.integers(0, len(LONG["a"]) - 1))
    new = data.draw(st.characters())
    try:
        value = MINT.read([LONG["a"][:at] + new + LONG["a"][at + 1 :]])
    except errors.VaultError:
        return
    assert value == ["a" * 30]


@settings(max_examples=100)
@given(st.text(st.sampled_from("uUqQwW0aZ .-\n\u200b" + LONG["a"][:4]), max_size=80), st.booleans())
def test_a_token_is_found_whatever_stands_before_it(before, cut):
    head = before + (LONG["b"][:20] if cut else "")
    for made in (LONG["a"], LONG["a"].lower(), " ".join(LONG["a"])):
        found = packets.find(f"{head}{made}'s chart")
        assert packets.Place(len(head), len(head) + len(made), True) in found


@settings(max_examples=50)
@given(st.integers(1, 200), st.binary(min_size=1, max_size=70), st.binary(max_size=70))
def test_sealing_together_is_aes_siv(rows, plain, associated):
    np = pytest.importorskip("numpy")
    key = hashlib.sha512(associated).digest()
    stacked = np.frombuffer(plain * rows, np.uint8).reshape(rows, -1)
    sealed = siv.seal(key, associated, stacked)
    assert {bytes(row) for row in sealed} == {AESSIV(key).encrypt(plain, [associated])}
    assert siv.open(key, associated, sealed) == [plain] * rows
    assert siv.open(key, associated + b"x", sealed) == [None] * rows


def test_a_token_is_safe_everywhere():
    assert re.fullmatch(r"UQ[0-9A-HJKMNP-TV-Z]{48}U", MINT.tokens(["Gonzalez"])[0])


def test_length_tells_only_the_step():
    lengths = {len(value): len(MINT.tokens([value])[0]) for value in ("", "a" * 10, "a" * 11)}
    assert lengths == {0: 51, 10: 51, 11: 67}


def test_old_versions_are_read_and_new_tokens_are_of_the_newest():
    old, new = Key(bytes(32)), Key(bytes([1]) * 32)
    both = Mint({1: old, 2: new}, CONTEXT)
    before, after = MINT.tokens(["x"]), both.tokens(["x"])
    assert before != after == Mint({2: new}, CONTEXT).tokens(["x"])
    assert both.read(before + after) == ["x", "x"]
    with pytest.raises(errors.VaultError, match=r"key version 1; there are keys for 2$"):
        Mint({2: new}, CONTEXT).read(before)


def test_tokens_of_several_labels_are_read_together_even_where_tags_collide():
    labels = [f"L{number}" for number in range(400)]
    mints = [Mint({1: Key(bytes(32))}, CONTEXT._replace(label=label)) for label in labels[:40]]
    same = next(label for label in labels[40:] if token.tag(label) == mints[0].tag)
    mints.append(Mint({1: Key(bytes(32))}, CONTEXT._replace(label=same)))
    tokens = [made.tokens([label])[0] for made, label in zip(mints, [*labels[:40], same])]
    assert token.read(tokens, mints) == token.read(tokens, mints[::-1]) == [*labels[:40], same]


def test_tokens_are_read_out_of_a_long_text_as_out_of_pieces():
    made = MINT.tokens([f"{'x' * (n % 25)}{n}" for n in range(200)])
    bent = [
        " ".join(t) if n % 7 == 0 else t.lower() if n % 5 == 0 else t for n, t in enumerate(made)
    ]
    text = "\u00e4 und ".join(bent)
    assert [text[at.start : at.end] for at in packets.find(text)] == bent
    starts, _, groups = packets.scan(text)
    values = token.Readers([MINT]).values(groups)
    assert [values[at] for at in range(len(starts))] == MINT.read(made) == MINT.read(bent)


def test_half_a_surrogate_pair_is_refused_without_telling_the_value():
    with pytest.raises(errors.OperatorError, match="value 2 of 2 holds half a surrogate pair"):
        canary(lambda: MINT.tokens(["x", f"{CANARY}\ud800"]))


def test_nothing_tells_key_or_value():
    assert "00" not in repr(MINT)
    for made in (f"UQ{CANARY}U", LONG["a"] + CANARY, CANARY):
        with pytest.raises(errors.VaultError):
            canary(lambda made=made: MINT.read([made]))


@pytest.mark.parametrize("keys", [{}, {0: Key(bytes(32))}, {256: Key(bytes(32))}])
def test_versions_are_from_1_to_255(keys):
    with pytest.raises(errors.UsageError, match="versions from 1 to 255"):
        Mint(keys, CONTEXT)


@pytest.mark.parametrize("step", [0, 4, 12, -5])
def test_a_step_leaves_no_bits_over(step):
    with pytest.raises(errors.UsageError, match="multiple of 5"):
        Mint({1: Key(bytes(32))}, CONTEXT, step=step)
