"""Makes the vectors of docs/spec/access.md without a line of Scrubjay.

    pip install pyjwt joserfc cryptography && python vectors/access/make.py

Tokens come from two libraries, with keys that are new at each run and not kept. The rest is made
by hand from fixed bytes.
"""

import base64
import hashlib
import hmac
import json
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwk
from joserfc import jwt as jose
from joserfc.jws import JWSRegistry

HERE = Path(__file__).parent
NOW = 1_800_000_000
ISSUER = "https://login.example.org"
CLAIMS = {
    "iss": ISSUER,
    "sub": "ana-1",
    "aud": "scrubjay",
    "exp": NOW + 300,
    "iat": NOW,
}
KEYS = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "PS256": rsa.generate_private_key(65537, 3072),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": Ed25519PrivateKey.generate(),
}
OTHER = rsa.generate_private_key(65537, 2048)
SMALL = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused


def public(private, algorithm, **more):
    """A JWK, written by PyJWT."""
    name = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}[algorithm]
    kind = getattr(jwt.algorithms, f"{name}Algorithm")
    return kind.to_jwk(private.public_key(), as_dict=True) | {"kid": algorithm.lower(), **more}


JWKS = {"keys": [public(key, algorithm, use="sig") for algorithm, key in KEYS.items()]}
JWKS["keys"].append({"kty": "oct", "k": "AAAA", "kid": "shared"})
JWKS["keys"].append(public(OTHER, "RS256", use="enc", kid="for-encryption"))


def raw(part):
    """Base64url of bytes, or of a value as JSON."""
    told = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(told).rstrip(b"=").decode()


def by_hand(header, claims, algorithm="RS256"):
    """A token with any header and claims, signed with the real key."""
    signed = f"{raw(header)}.{raw(claims)}"
    kind = jwt.algorithms.get_default_algorithms()[algorithm]
    return f"{signed}.{raw(kind.sign(signed.encode(), KEYS[algorithm]))}"


def pyjwt(algorithm="RS256", *, headers=None, **changes):
    """A token by PyJWT. A claim that is None goes."""
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    headers = {"kid": algorithm.lower()} | (headers or {})
    return jwt.encode(claims, KEYS[algorithm], algorithm, headers)


def joserfc(algorithm):
    """A token by joserfc."""
    key = jwk.import_key(private(algorithm))
    header = {"alg": algorithm, "kid": algorithm.lower()}
    return jose.encode(header, CLAIMS, key, registry=JWSRegistry(algorithms=[algorithm]))


def private(algorithm):
    """The secret members of a JWK."""
    name = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}[algorithm]
    return getattr(jwt.algorithms, f"{name}Algorithm").to_jwk(KEYS[algorithm], as_dict=True)


def hs256(secret):
    """What a library takes that lets the token choose between a public key and a shared secret."""
    signed = f"{raw({'alg': 'HS256', 'typ': 'JWT', 'kid': 'rs256'})}.{raw(CLAIMS)}"
    return f"{signed}.{raw(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def cases():
    """Name, token, and what the refusal matches; empty: it is good."""
    for algorithm in KEYS:
        yield f"good-pyjwt-{algorithm.lower()}", pyjwt(algorithm), ""
        yield f"good-joserfc-{algorithm.lower()}", joserfc(algorithm), ""
    yield "good-audiences", pyjwt(aud=["other", "scrubjay"]), ""
    yield "good-nbf-within-leeway", pyjwt(nbf=NOW + 30), ""
    yield "good-just-expired", pyjwt(exp=NOW - 30), ""
    yield "bad-expired", pyjwt(exp=NOW - 60), "expired"
    yield "bad-not-yet", pyjwt(nbf=NOW + 61), "not valid yet"
    yield "bad-issued-later", pyjwt(iat=NOW + 61), "not valid yet"
    yield "bad-no-exp", pyjwt(exp=None), "not a token"
    yield "bad-no-iat", pyjwt(iat=None), "not a token"
    yield "bad-no-sub", pyjwt(sub=None), "not a token"
    yield "bad-empty-sub", pyjwt(sub=""), "another issuer"
    yield "bad-issuer", pyjwt(iss=f"{ISSUER}/"), "another issuer"
    yield "bad-audience", pyjwt(aud="scrubjay2"), "another audience"
    yield "bad-no-audience", pyjwt(aud=None), "not a token"
    head = {"alg": "RS256", "kid": "rs256"}
    yield "bad-exp-text", by_hand(head, CLAIMS | {"exp": str(NOW + 300)}), "not a token"
    yield "bad-exp-true", by_hand(head, CLAIMS | {"exp": True}), "not a token"
    endless = json.dumps(CLAIMS).replace(str(NOW + 300), "1e999").encode()
    yield "bad-exp-endless", by_hand(head, endless), "not a token"
    twice = json.dumps(CLAIMS)[:-1].encode() + b', "sub": "root"}'
    yield "bad-claim-twice", by_hand(head, twice), "not a token"
    head_twice = b'{"alg": "none", "kid": "rs256", "alg": "RS256"}'
    yield "bad-header-twice", by_hand(head_twice, CLAIMS), "not a token"
    unsigned = f"{raw({'alg': 'none', 'kid': 'rs256'})}.{raw(CLAIMS)}"
    yield "bad-none-empty", f"{unsigned}.", "not a token"
    yield "bad-none", f"{unsigned}.AAAA", "algorithm is none of"
    for name in ("None", "NONE", "nOnE", "rs256", "RS512"):
        token = by_hand({"alg": name, "kid": "rs256"}, CLAIMS)
        yield f"bad-alg-{name.lower()}-{sum(map(ord, name))}", token, "algorithm is none of"
    key = KEYS["RS256"].public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    yield "bad-confusion-pem", hs256(pem), "algorithm is none of"
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    yield "bad-confusion-der", hs256(der), "algorithm is none of"
    yield "bad-kid-of-other", pyjwt("RS256", headers={"kid": "ps256"}), "signature is wrong"
    yield "bad-kid-kind", pyjwt("RS256", headers={"kid": "es256"}), "key is not known"
    yield "bad-kid-unknown", pyjwt("RS256", headers={"kid": "../../key"}), "key is not known"
    yield "bad-kid-encryption", pyjwt("RS256", headers={"kid": "for-encryption"}), "is not known"
    yield "bad-no-kid", by_hand({"alg": "RS256"}, CLAIMS), "key is not known"
    embedded = {"alg": "RS256", "kid": "rs256", "jwk": public(OTHER, "RS256")}
    signed = f"{raw(embedded)}.{raw(CLAIMS)}"
    forged = jwt.algorithms.get_default_algorithms()["RS256"].sign(signed.encode(), OTHER)
    yield "bad-embedded-key", f"{signed}.{raw(forged)}", "asks for what is not done"
    for name, value in {
        "jku": "https://evil.example/keys",
        "x5u": "https://evil.example/cert",
        "x5c": ["AAAA"],
        "crit": ["exp"],
        "b64": False,
        "zip": "DEF",
    }.items():
        yield f"bad-header-{name}", by_hand(head | {name: value}, CLAIMS), "asks for what"
    yield "bad-type", by_hand(head | {"typ": "logout+jwt"}, CLAIMS), "another type"
    good = pyjwt()
    yield "bad-signature", good[:-20] + "A" * 20, "signature is wrong|not a token"
    yield "bad-padding", f"{good}=", "not a token"
    yield "bad-blank", f"{good}\n", "not a token"
    yield "bad-parts", f"{good}.AAAA", "not a token"
    yield "bad-header-list", by_hand([1], CLAIMS), "asks for what"
    yield "bad-claims-list", by_hand(head, [1]), "not a token"
    yield "bad-claims-deep", by_hand(head, b"[" * 6000), "not a token"
    yield "bad-size", pyjwt(more="x" * 20_000), "at most 16384"
    first, second, _ = pyjwt("ES256").split(".")
    yield "bad-psychic", f"{first}.{second}.{raw(bytes(64))}", "signature is wrong"
    der_form = KEYS["ES256"].sign(f"{first}.{second}".encode(), ec.ECDSA(SHA256()))
    yield "bad-es256-der", f"{first}.{second}.{raw(der_form)}", "signature is wrong"


def derived(key, purpose, *parts):
    """HMAC-SHA256 of parts, each behind its length."""
    told = [part.encode() for part in (purpose, *parts)]
    message = b"".join(len(part).to_bytes(8, "big") + part for part in told)
    return hmac.new(key, message, hashlib.sha256).digest()


def row():
    """ACC-1, ACC-2, KEY-3."""
    key, space, place, nonce = bytes(range(32)), "access.test", b"\0\x01place", bytes(range(12))
    bound = len(space).to_bytes(8, "big") + space.encode() + place
    plain = b'{"at":1800000000}'
    box = AESGCMSIV(derived(key, "access rows"))
    id, secret = "abcdefghijklmnop", "a2" * 26
    index = derived(key, "access index")
    return {
        "key": key.hex(),
        "space": space,
        "place": place.hex(),
        "plain": plain.decode(),
        "sealed": (nonce + box.encrypt(nonce, plain, bound)).hex(),
        "api_key": f"sjk_{id}_{secret}",
        "api_key_digest": derived(index, "access api key", id, secret).hex(),
    }


def approval():
    """APP-2, APP-3, APP-4: the canonical form is written out, so that nothing can make it."""
    canonical = (
        '{"action":"reveal.run","digest":"","domain":"study-7","expires":1800003600,'
        '"issued":1800000000,"nonce":"000102030405060708090a0b0c0d0e0f",'
        '"reason":"Lab found a \\"critical\\" value\\\\result'
        ' \u2013 M\u00fcnchen \U0001f691\\n\\u0001",'
        '"requester":"ana","subjects":["P-0001","P-0002"],"version":"scrubjay-approval-v1"}'
    ).encode()
    seed = bytes(range(64))
    signer = Ed25519PrivateKey.from_private_bytes(seed[:32])
    return {
        "canonical": canonical.decode(),
        "id": hashlib.sha256(canonical).hexdigest(),
        "seed": seed.hex(),
        "approver": "bo",
        "signature": signer.sign(b"scrubjay-approval-v1\nbo\n" + canonical).hex(),
        "digest_of": ["P-0002", "P-0001", "P-0002"],
        "digest": hashlib.sha256(b'["P-0001","P-0002"]').hexdigest(),
    }


def main():
    """Write them."""
    write("jwks.json", JWKS)
    write("jwks-small.json", {"keys": [public(SMALL, "RS256")]})
    twice = [public(key, "RS256", kid="same") for key in (OTHER, KEYS["RS256"])]
    write("jwks-twice.json", {"keys": twice})
    write("row.json", row())
    write("approval.json", approval())
    for name, token, refused in cases():
        case = {"issuer": ISSUER, "audience": "scrubjay", "now": NOW, "token": token}
        write(f"token-{name}.json", case | ({"refused": refused} if refused else {"sub": "ana-1"}))


def write(name, value):
    """One file."""
    HERE.joinpath(name).write_text(json.dumps(value, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
