"""Tokens of identity providers: what two other libraries make is read, known tricks are not."""

import json
from pathlib import Path

import pytest

pytest.importorskip("cryptography")

from scrubjay import errors
from scrubjay.access import oidc
from scrubjay.access.testing import NOW

VECTORS = Path(__file__).parent.parent / "vectors" / "access"
NAME = "https://login.example.org"


def issuer(name="jwks.json"):
    return oidc.issuer(NAME, "scrubjay", (VECTORS / name).read_bytes())


@pytest.mark.parametrize("path", sorted(VECTORS.glob("token-*.json")), ids=lambda p: p.stem[6:])
def test_a_token_is_read_or_refused_as_its_vector_says(path):
    case = json.loads(path.read_text())
    if "sub" in case:
        assert oidc.verify(case["token"], issuer(), case["now"]).sub == case["sub"]
        return
    with pytest.raises(errors.AccessError, match=case["refused"]) as caught:
        oidc.verify(case["token"], issuer(), case["now"])
    assert case["token"] == "" or case["token"][-20:] not in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "refused"),
    [
        ("jwks-small.json", "RSA keys have 2048 to 8192 bits"),
        ("jwks-twice.json", "two keys with the same kid"),
        (b"", "no JWKS"),
        (b"[]", "no JWKS"),
        (b'{"keys": [{"kty": "RSA"}]}', "no JWKS"),
        (b'{"keys": [1]}', "no JWKS"),
        (b'{"keys": [{"kty": [], "kid": "a"}]}', "no JWKS"),
        (b'{"keys": [{"kty": "EC", "crv": "P-256", "kid": "a", "x": "AQ", "y": "AQ"}]}', "no JWKS"),
        (b'{"keys": [{"kty": "oct", "kid": "a", "k": "AAAA"}]}', "no key for RS256"),
        (b'{"keys": []}', "no key for RS256"),
        (b'{"keys": [], "keys": []}', "no JWKS"),
    ],
)
def test_a_key_set_that_cannot_be_trusted_is_refused(raw, refused):
    raw = raw if isinstance(raw, bytes) else (VECTORS / raw).read_bytes()
    with pytest.raises(errors.UsageError, match=refused):
        oidc.issuer(NAME, "scrubjay", raw)


@pytest.mark.parametrize(
    ("name", "audience", "claim"),
    [
        ("login.example.org", "scrubjay", "sub"),
        ("http://login.example.org", "scrubjay", "sub"),
        (f"{NAME} ana-1", "scrubjay", "sub"),  # else "a b" and "c" is "a" and "b c"
        (NAME, "", "sub"),
        (NAME, "scrubjay", "email"),  # a person can change it, and another may have it next
    ],
)
def test_an_issuer_has_one_name_and_says_who_it_is_for_good(name, audience, claim):
    with pytest.raises(errors.UsageError):
        oidc.issuer(name, audience, (VECTORS / "jwks.json").read_bytes(), claim)


def test_a_keys_own_algorithm_is_the_only_one_it_serves():
    listed = json.loads((VECTORS / "jwks.json").read_text())
    listed["keys"][0]["alg"] = "PS256"
    narrow = oidc.issuer(NAME, "scrubjay", json.dumps(listed).encode())
    assert ("PS256", "rs256") in narrow.keys and ("RS256", "rs256") not in narrow.keys


def test_each_byte_of_a_token_counts():
    case = json.loads((VECTORS / "token-good-pyjwt-eddsa.json").read_text())
    known = issuer()
    for at, sign in enumerate(case["token"]):
        other = case["token"][:at] + ("A" if sign != "A" else "B") + case["token"][at + 1 :]
        with pytest.raises(errors.AccessError):
            oidc.verify(other, known, NOW)
