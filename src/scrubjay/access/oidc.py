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

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | Ed25519PublicKey
_PSS = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)


class Issuer(Struct, frozen=True):
    """Whose tokens are taken, for whom they must be, and the keys by algorithm and id."""

    name: str
    audience: str
    keys: dict[tuple[str, str], PublicKey]


_BOUNDS = Meta(ge=0, le=2**53)  # 1e999 would be for ever
Time = Annotated[int, _BOUNDS] | Annotated[float, _BOUNDS]


class Claims(Struct, frozen=True):
    """What a token says that we read. Types are strict."""

    iss: str
    sub: str
    aud: str | tuple[str, ...]
    exp: Time
    iat: Time
    nbf: Time = 0


def issuer(name: str, audience: str, raw: bytes) -> Issuer:
    """A provider with the keys of its JWKS document. Call it again with a newer one."""
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
    return Issuer(name, audience, keys)


def verify(token: str, issuer: Issuer, now: int) -> Claims:
    """What the token says, if the issuer says it, to us, and now."""
    if len(token) > LONGEST:
        raise AccessError(f"a token has at most {LONGEST} characters")
    try:
        signed, _, signature = token.rpartition(".")
        first, second = signed.split(".")
        header, claims = _json(_decode(first)), _json(_decode(second))
        _check_signature(header, signed.encode("ascii"), _decode(signature), issuer)
        made = msgspec.convert(claims, Claims)
    except (ValueError, RecursionError):
        raise AccessError("this is not a token that is read here; sign in again") from None
    _check_claims(made, issuer, now)
    return made


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


def _check_claims(claims: Claims, issuer: Issuer, now: int) -> None:
    audience = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
    if claims.iss != issuer.name or issuer.audience not in audience or not claims.sub:
        raise AccessError("the token is of another issuer, or for another audience")
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
