"""Tokens and format-preserving encryption in the hands of somebody without the key."""

import random
import time

import pytest

pytest.importorskip("cryptography")

from scrubjay import errors
from scrubjay.keys import Key
from scrubjay.vault import fpe, packets, token, twoperson
from scrubjay.vault.token import Context, Mint

KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
HERE = Context("north", "study-7", "PERSON")
MINT = Mint({1: KEY}, HERE)
NAMES = [f"{first} {last}" for first in ("Ann", "Bo", "Cy") for last in ("Lee", "Diaz", "Ito")]
STRANGERS = {
    "key": Mint({1: OTHER}, HERE),
    "version": Mint({2: KEY}, HERE),
    "tenant": Mint({1: KEY}, HERE._replace(tenant="south")),
    "domain": Mint({1: KEY}, HERE._replace(domain="study-8")),
    "label": Mint({1: KEY}, HERE._replace(label="CITY")),
    "runs-together": Mint({1: KEY}, Context("northstudy", "-7", "PERSON")),
}


def forged(packet, sealed, kind=None, version=None, tag=None):
    """A token whose check holds: an attacker can compute that."""
    changed = packets.Packet(
        kind or packet.kind, version or packet.version, packet.tag if tag is None else tag, sealed
    )
    return packets.pack(changed)


# A dictionary


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
def test_the_same_values_elsewhere_have_unrelated_tokens(stranger):
    """So a list of known people in one release says nothing about another."""
    ours, theirs = (
        [packets.unpack(made).sealed for made in mint.tokens(NAMES)] for mint in (MINT, stranger)
    )
    assert not set(ours) & set(theirs)
    agree = sum(
        a == b for pair in zip(ours, theirs, strict=True) for a, b in zip(*pair, strict=True)
    )
    assert agree < 12, "bytes that agree in place: one in 256 by chance, of 234"


def test_without_the_key_only_equality_is_seen():
    tokens = MINT.tokens([*NAMES, *NAMES])
    assert tokens[: len(NAMES)] == tokens[len(NAMES) :], "inside a domain that is the promise"
    near = [packets.unpack(made).sealed for made in MINT.tokens(["Ann Lee", "Ann Lef"])]
    assert sum(a == b for a, b in zip(*near, strict=True)) < 6, (
        "and near values are as far apart as any"
    )


# Bent on purpose: whatever is not the token is refused, with a check that holds


def test_every_flipped_bit_is_refused():
    packet = packets.unpack(MINT.tokens(["Maria Gonzalez"])[0])
    for bit in range(8 * len(packet.sealed)):
        sealed = bytearray(packet.sealed)
        sealed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(errors.VaultError, match="not made with this key"):
            MINT.read([forged(packet, bytes(sealed))])


def test_a_flipped_bit_among_many_is_refused_and_the_others_are_read():
    """Many are opened together: none of them stands in for another."""
    tokens = MINT.tokens(["Maria Gonzalez"])
    packet = packets.unpack(tokens[0])
    flips = [int.to_bytes(1 << bit, len(packet.sealed)) for bit in range(8 * len(packet.sealed))]
    bent = [
        forged(packet, bytes(a ^ b for a, b in zip(packet.sealed, flip, strict=True)))
        for flip in flips
    ]
    found = packets.scan(" ".join(tokens + bent + tokens))
    values = token.Readers([MINT]).values(found.groups)
    assert values.pop(0) == values.pop(len(bent) + 1) == "Maria Gonzalez"
    assert {str(value) for value in values.values()} == {str(token.stranger())}


def test_every_truncation_is_refused():
    made = MINT.tokens(["Maria Gonzalez"])[0]
    for end in range(len(made)):
        for cut in (made[:end], made[:end] + "U", "UQ" + made[end + 1 :]):
            if cut != made:
                with pytest.raises(errors.VaultError):
                    MINT.read([cut])
    packet = packets.unpack(made)
    for size in range(len(packet.sealed) - 5, packets.SIV, -5):
        for piece in (packet.sealed[:size], packet.sealed[-size:]):
            with pytest.raises(errors.VaultError, match="not made with this key"):
                MINT.read([forged(packet, piece)])


def test_every_splice_of_two_tokens_is_refused():
    a, b = (packets.unpack(made) for made in MINT.tokens(["Maria Gonzalez", "Carla Gonzalez"]))
    for at in range(1, len(a.sealed)):
        with pytest.raises(errors.VaultError, match="not made with this key"):
            MINT.read([forged(a, a.sealed[:at] + b.sealed[at:])])


def test_a_swapped_version_label_or_kind_is_refused():
    both = Mint({1: KEY, 2: KEY}, HERE)  # even where two versions had one key
    packet = packets.unpack(MINT.tokens(["Maria Gonzalez"])[0])
    with pytest.raises(errors.VaultError, match="not made with this key"):
        both.read([forged(packet, packet.sealed, version=2)])
    city = STRANGERS["label"]
    with pytest.raises(errors.VaultError, match="not made with this key"):
        city.read([forged(packet, packet.sealed, tag=city.tag)])
    with pytest.raises(errors.VaultError, match="another kind"):
        both.read([forged(packet, packet.sealed, kind="W")])


# Time and words


def test_our_code_leaves_every_comparison_to_the_primitive(monkeypatch):
    """However early or late a forged token differs, the primitive is asked once, and what is said
    is the same: nothing of ours ends early."""
    asked, told = [], set()
    real = MINT._primitives[1]

    class Watched:
        def decrypt(self, data, associated):
            asked.append(len(data))
            return real.decrypt(data, associated)

    monkeypatch.setattr(MINT, "_primitives", {1: Watched()})
    packet = packets.unpack(Mint({1: KEY}, HERE).tokens(["Maria Gonzalez"])[0])
    for at in range(len(packet.sealed)):
        sealed = packet.sealed[:at] + bytes([packet.sealed[at] ^ 1]) + packet.sealed[at + 1 :]
        with pytest.raises(errors.VaultError) as caught:
            MINT.read([forged(packet, sealed)])
        told.add(str(caught.value))
    assert asked == [len(packet.sealed)] * len(packet.sealed) and len(told) == 1


def test_a_hostile_text_does_not_keep_find_busy():
    for piece in (
        "uq ",
        "UQ" + "A" * 39,
        "u" * 7,
        "UQ" + " " * 50,
        "q\u200bu",
        "UQ" + "A B" * 6666,
    ):
        small, large = (
            min(_seconds(piece * (size // len(piece) + 1)) for _ in range(3))
            for size in (20_000, 200_000)
        )
        assert large < 60 * small + 0.05, "ten times the text, about ten times the time"


def _seconds(text):
    start = time.process_time()
    list(packets.find(text))
    return time.process_time() - start


# Two-person tokens


def test_minting_can_guess_and_that_is_the_known_price():
    """TOK-43 says so: with the domain's key a dictionary works, without it nothing does."""
    _, public = twoperson.new(lambda size: bytes([5]) * size)
    inside = twoperson.Sealed({1: twoperson.Lock(KEY, public)}, HERE)
    secret = inside.tokens(["Bo Diaz"])[0]
    assert NAMES[inside.tokens(NAMES).index(secret)] == "Bo Diaz"
    outside = twoperson.Sealed({1: twoperson.Lock(OTHER, public)}, HERE)
    assert secret not in outside.tokens(NAMES), "the public key is not enough to guess with"


# Format-preserving encryption


@pytest.mark.parametrize("value", ["47", "12/03", "559", "55901", "2024", "AB12", "99999"])
def test_what_can_be_enumerated_is_refused(value):
    with pytest.raises(errors.PolicyError, match="choose token or hash"):
        fpe.shaped(bytes(32), [value])


def test_a_refused_value_refuses_the_batch():
    with pytest.raises(errors.PolicyError):
        fpe.shaped(bytes(32), ["123-45-6789", "55901"])


def test_shapes_tweaks_and_keys_do_not_share_a_permutation():
    draw = random.Random(7)
    numbers = [f"{draw.randrange(10**9):09d}" for _ in range(50)]
    base = fpe.shaped(bytes(32), numbers, b"a")
    for key, tweak in ((bytes(32), b"b"), (bytes(31) + b"\1", b"a"), (bytes(32), b"")):
        assert not set(base) & set(fpe.shaped(key, numbers, tweak))
    upper, lower = fpe.shaped(bytes(32), ["ABCDEF", "abcdef"], b"a")
    assert upper.lower() != lower
