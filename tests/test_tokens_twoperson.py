"""Two-person tokens: sealed by code, read only where both halves of a key come together."""

import json
from pathlib import Path

import pytest

pytest.importorskip("cryptography")

from hypothesis import given, settings
from hypothesis import strategies as st

from scrubjay import errors
from scrubjay.access.holders import Hand, Where
from scrubjay.access.signing import Signer
from scrubjay.keys import Key
from scrubjay.vault import packets, shares, token, twoperson
from scrubjay.vault.nodes import Holder, Pair
from scrubjay.vault.token import Context, Mint
from scrubjay.vault.twoperson import Lock, Sealed, halves, join

VECTORS = Path(__file__).parent.parent / "vectors" / "token"
CONTEXT = Context("north", "study-7", "PERSON")
PRIVATE, PUBLIC = twoperson.new(lambda size: bytes([3]) * size)
KEY = Key(bytes(32))
SEALED = Sealed({1: Lock(KEY, PUBLIC)}, CONTEXT)


@pytest.mark.parametrize("path", sorted(VECTORS.glob("sealed-*.json")), ids=lambda p: p.stem)
def test_a_value_has_this_token_and_comes_back(path):
    case = json.loads(path.read_text("utf-8"))
    lock = Lock(Key(bytes.fromhex(case["key"])), bytes.fromhex(case["public"]))
    context = Context(case["tenant"], case["domain"], case["label"])
    made = Sealed({case["version"]: lock}, context, step=case["step"])
    assert made.tokens([case["value"]]) == [case["token"]]
    privates = {case["version"]: bytes.fromhex(case["private"])}
    assert made.read([case["token"]], privates) == [case["value"]]


@settings(max_examples=30)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=5))
def test_every_text_comes_back_and_equal_ones_agree(values):
    tokens = SEALED.tokens(values + values)
    assert SEALED.read(tokens, {1: PRIVATE}) == values + values
    assert len(set(tokens)) == len(set(values))


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_two_halves_make_the_key_and_one_makes_nothing(private, noise):
    first, second = halves(private, lambda _: noise)
    assert join(first, second, twoperson.public_of(private)) == private
    assert first == noise, "one half is noise, and so is the other: noise over the key"
    assert bytes(a ^ b for a, b in zip(second, private, strict=True)) == noise


def test_halves_that_do_not_belong_together_are_told():
    first, second = halves(PRIVATE)
    other, _ = halves(PRIVATE)
    for a, b, why in ((first, other, "not the halves"), (first, second[:31], "was cut")):
        with pytest.raises(errors.VaultError, match=why):
            join(a, b, PUBLIC)
    with pytest.raises(errors.VaultError, match="32 bytes, this has 31"):
        halves(PRIVATE[:31])


@settings(max_examples=30)
@given(st.binary(min_size=4, max_size=4), st.data())
def test_any_two_shares_give_the_half_and_everybody_elses_share(half, data):
    slope = data.draw(st.binary(min_size=4, max_size=4))
    points = dict(enumerate(shares.line(half, 255, lambda _: slope), 1))
    x, y, z = data.draw(st.lists(st.integers(1, 255), min_size=3, max_size=3, unique=True))
    for at, value in ((0, half), (z, points[z])):
        terms = shares.term(x, points[x], y, at), shares.term(y, points[y], x, at)
        assert shares.xor(*terms) == value


@given(st.binary(min_size=9, max_size=9), st.binary(min_size=9, max_size=9), st.integers(1, 255))
def test_one_share_fits_every_half(share, guess, x):
    z = x % 255 + 1
    other = shares.xor(shares.term(x, share, 0, z), shares.term(0, guess, x, z))
    assert shares.xor(shares.term(x, share, z), shares.term(z, other, x)) == guess


def test_what_two_approvers_give_is_what_the_vector_says():
    """TOK-35 to TOK-37 from the outside in: sealed shares, masked terms, the half."""
    case = json.loads((VECTORS / "shares.json").read_text("utf-8"))
    signers = {name: Signer(bytes.fromhex(seed)) for name, seed in case["seeds"].items()}
    holders = [
        Holder(name, signers[name].public.receive, at, (bytes.fromhex(sealed),))
        for name, at, sealed in case["holders"]
    ]
    pair = Pair(b"", b"", tuple(holders))
    place = Where(case["domain"], case["version"])
    hands = [Hand(signers[holder.name], place, pair, holder) for holder in holders]
    about = place.about("request", case["request"])
    masked = [hands[0].term(holders[1], 0, about), hands[1].term(holders[0], 0, about)]
    assert [term.hex() for term in masked] == case["masked"]
    assert shares.xor(*masked).hex() == case["half"]


def test_code_alone_cannot_read():
    """The domain's key, the public key and the first half are all that a service holds."""
    tokens = SEALED.tokens(["Maria Gonzalez"])
    first, _ = halves(PRIVATE)
    with pytest.raises(errors.VaultError, match="not the halves"):
        SEALED.read(tokens, {1: first})
    with pytest.raises(errors.VaultError, match="need both halves"):
        token.read(tokens, [Mint({1: KEY}, CONTEXT)])


@pytest.mark.parametrize(
    "other",
    [
        Sealed({1: Lock(Key(bytes([9]) * 32), PUBLIC)}, CONTEXT),
        Sealed({1: Lock(KEY, PUBLIC)}, CONTEXT._replace(domain="study-8")),
        Sealed({1: Lock(KEY, PUBLIC)}, CONTEXT._replace(tenant="south")),
    ],
    ids=["key", "domain", "tenant"],
)
def test_a_token_from_elsewhere_is_refused_though_the_private_key_fits(other):
    """Who has only the public key cannot make tokens that are read: the value is minted again."""
    with pytest.raises(errors.VaultError, match="not made with this key"):
        SEALED.read(other.tokens(["Maria Gonzalez"]), {1: PRIVATE})


@pytest.mark.parametrize("point", [bytes(32), bytes([1] + [0] * 31)], ids=["zero", "one"])
def test_points_of_small_order_are_refused(point):
    packet = packets.unpack(SEALED.tokens(["x"])[0])
    bent = [packets.pack(packet._replace(sealed=point + packet.sealed[32:]))]
    with pytest.raises(errors.VaultError, match="not made with this key"):
        SEALED.read(bent, {1: PRIVATE})


def test_plain_and_sealed_tokens_are_read_in_one_go():
    plain = Mint({1: KEY}, CONTEXT)
    both = plain.tokens(["a"]) + SEALED.tokens(["b"])
    assert token.read(both, [plain, SEALED.reader({1: PRIVATE})]) == ["a", "b"]


def test_nothing_tells_keys():
    shown = repr(SEALED) + repr(SEALED.reader({1: PRIVATE}))
    assert PRIVATE.hex() not in shown and str(PRIVATE) not in shown


def test_a_private_key_of_no_version_is_told():
    with pytest.raises(errors.UsageError, match=r"unknown versions \[2\]"):
        SEALED.reader({2: PRIVATE})
