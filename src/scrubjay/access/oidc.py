"""Tokens of an identity provider (OpenID Connect, RFC 7519), checked without a network.

The provider's keys are a file that somebody fetched (RFC 7517); to renew them is to read another.
What RFC 8725 warns of is refused: other algorithms than ours, keys that a token brings along, what
must be understood and is not, and whatever could be read in two ways.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import Meta, Struct

from scrubjay.errors import AccessError, UsageError

LONGEST = 16_384
LEEWAY = 60
RSA_BITS = range(2048, 8193)
HEADER = {"alg", "kid", "typ", "x5t", "x5t#S256"}
TYPES = {"jwt", "at+jwt", "application/at+jwt"}
PART = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
NAME = re.compile(r"https://[!-~]+", re.ASCII)  # no blank: it ends the issuer in "<issuer> <sub>"
LASTING = ("sub", "oid")  # claims that nobody can change, and that name nobody else later

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | Ed25519PublicKey
_PSS = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)


class Issuer(Struct, frozen=True):
    """Whose tokens are taken, for whom they must be, and the keys by algorithm and id."""

    name: str
    audience: str
    keys: dict[tuple[str, str], PublicKey]
    claim: str = "sub"


_BOUNDS = Meta(ge=0, le=2**53)  # 1e999 would be for ever
Time = Annotated[int, _BOUNDS] | Annotated[float, _BOUNDS]


class Claims(Struct, frozen=True):
    """What a token says that we read. Types are strict. `oid`: in Entra ID, the same
    person's for every audience."""

    iss: str
    sub: str
    aud: str | tuple[str, ...]
    exp: Time
    iat: Time
    nbf: Time = 0
    oid: str = ""


def issuer(name: str, audience: str, raw: bytes, claim: str = "sub") -> Issuer:
    """A provider with the keys of its JWKS document. Call it again with a newer one."""
    if not NAME.fullmatch(name) or not audience:
        raise UsageError("an issuer is named https://..., as its tokens say; it has an audience")
    if claim not in LASTING:
        raise UsageError(f"who it is, is said by {' or '.join(LASTING)}: others can change")
    try:
        listed = _json(raw)["keys"]
        ours = [key for key in listed if key.get("use", "sig") == "sig" and _kind(key) in _KINDS]
        read = [_key(key) for key in ours]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError(f"{name}: this is no JWKS document; fetch it again") from None
    keys = {(algorithm, kid): key for algorithms, kid, key in read for algorithm in algorithms}
    if not keys:
        raise UsageError(f"{name}: no key for RS256, PS256, ES256 or EdDSA among its keys")
    if len({kid for _, kid, _ in read}) != len(read):
        raise UsageError(f"{name}: two keys with the same kid; the provider must tell them apart")
    return Issuer(name, audience, keys, claim)


def verify(token: str, issuer: Issuer, now: int) -> Claims:
    """What the token says, if the issuer says it, to us, and now."""
    claims = read(token, issuer)
    check(claims, issuer, now)
    return claims


def read(token: str, issuer: Issuer) -> Claims:
    """What the token says, if the issuer has signed it."""
    header, claims, signature = _parts(token)
    signed = token.rpartition(".")[0].encode("ascii")
    try:
        _check_signature(header, signed, signature, issuer)
        return msgspec.convert(claims, Claims)
    except ValueError:
        raise AccessError(_NONE) from None


def claimed(token: str) -> str:
    """Whose token it says that it is. Nothing is checked: it only chooses the keys."""
    claims = _parts(token)[1]
    name = claims.get("iss") if isinstance(claims, dict) else None
    return name if isinstance(name, str) else ""


_NONE = "this is not a token that is read here; sign in again"


def _parts(token: str) -> tuple[Any, Any, bytes]:
    if len(token) > LONGEST:
        raise AccessError(f"a token has at most {LONGEST} characters")
    try:
        first, second, signature = token.split(".")
        return _json(_decode(first)), _json(_decode(second)), _decode(signature)
    except (ValueError, RecursionError):
        raise AccessError(_NONE) from None


def _check_signature(header: Any, message: bytes, signature: bytes, issuer: Issuer) -> None:
    if not isinstance(header, dict) or header.keys() - HEADER:  # jwk, jku, x5c, crit, b64, zip ...
        raise AccessError("the token's header asks for what is not done here; use a plain one")
    if str(header.get("typ", "JWT")).lower() not in TYPES:
        raise AccessError("the token is of another type; use an ID or access token")
    algorithm, kid = header.get("alg"), header.get("kid")
    if not (isinstance(algorithm, str) and algorithm in ALGORITHMS):
        raise AccessError(f"the token's algorithm is none of {', '.join(ALGORITHMS)}")
    if not (isinstance(kid, str) and (algorithm, kid) in issuer.keys):
        raise AccessError("the token's key is not known; read the provider's current keys")
    try:
        ALGORITHMS[algorithm](issuer.keys[algorithm, kid], signature, message)
    except InvalidSignature:
        raise AccessError("the token's signature is wrong; sign in again") from None


def check(claims: Claims, issuer: Issuer, now: int) -> None:
    """Refuse what was said by another, to others, or not now."""
    audience = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
    if claims.iss != issuer.name or issuer.audience not in audience or not claims.sub:
        raise AccessError("the token is of another issuer, or for another audience")
    if not getattr(claims, issuer.claim):
        raise AccessError(f"the token has no {issuer.claim}; ask the provider to put it in")
    if now >= claims.exp + LEEWAY:
        raise AccessError("the token has expired; sign in again")
    if max(claims.iat, claims.nbf) > now + LEEWAY:
        raise AccessError("the token is not valid yet; compare the clocks of both machines")


def _json(raw: bytes) -> Any:
    """JSON that has one reading: no member twice, no NaN."""
    return json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a member occurs twice")
    return made


def _refuse(constant: str) -> None:
    raise ValueError("no number")


def _decode(part: str) -> bytes:
    """Base64url without padding, in the only way that it can be written (RFC 7515, 2)."""
    if not PART.fullmatch(part):
        raise ValueError("not base64url")
    raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != part.encode("ascii"):
        raise ValueError("not canonical")
    return raw


def _key(jwk: dict[str, Any]) -> tuple[tuple[str, ...], str, PublicKey]:
    """The algorithms that a key may serve, its id, and the key."""
    algorithms, key = _KINDS[_kind(jwk)](jwk)
    told = jwk.get("alg")
    wanted = tuple(name for name in algorithms if told in (None, name))
    return wanted, _name(jwk["kid"]), key


def _kind(jwk: dict[str, Any]) -> tuple[str, str]:
    return jwk["kty"], jwk.get("crv", "")


def _name(kid: Any) -> str:
    if not isinstance(kid, str) or not kid:
        raise ValueError("no kid")
    return kid


def _rsa(jwk: dict[str, Any]) -> tuple[tuple[str, ...], PublicKey]:
    modulus = int.from_bytes(_decode(jwk["n"]), "big")
    exponent = int.from_bytes(_decode(jwk["e"]), "big")
    if modulus.bit_length() not in RSA_BITS or exponent != 65537:
        raise UsageError(
            f"key '{_name(jwk['kid'])[:64]}': RSA keys have 2048 to 8192 bits and the exponent"
            " 65537 here; ask the provider for another"
        )
    return ("RS256", "PS256"), rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _p256(jwk: dict[str, Any]) -> tuple[tuple[str, ...], PublicKey]:
    x, y = (int.from_bytes(_decode(jwk[name]), "big") for name in "xy")
    return ("ES256",), ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def _ed25519(jwk: dict[str, Any]) -> tuple[tuple[str, ...], PublicKey]:
    return ("EdDSA",), Ed25519PublicKey.from_public_bytes(_decode(jwk["x"]))


_KINDS = {("RSA", ""): _rsa, ("EC", "P-256"): _p256, ("OKP", "Ed25519"): _ed25519}


def _rs256(key: Any, signature: bytes, message: bytes) -> None:
    key.verify(signature, message, padding.PKCS1v15(), SHA256())


def _ps256(key: Any, signature: bytes, message: bytes) -> None:
    key.verify(signature, message, _PSS, SHA256())


def _es256(key: Any, signature: bytes, message: bytes) -> None:
    if len(signature) != 64:
        raise InvalidSignature
    r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))
    key.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))


def _eddsa(key: Any, signature: bytes, message: bytes) -> None:
    key.verify(signature, message)


ALGORITHMS: dict[str, Callable[[Any, bytes, bytes], None]] = {
    "RS256": _rs256,
    "PS256": _ps256,
    "ES256": _es256,
    "EdDSA": _eddsa,
}
