"""Ways in: tokens of identity providers, client certificates, API keys, on real ones; and what the
log says of who came in how, and who did not."""

import base64
import ipaddress
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

for needed in ("cryptography", "apsw", "pyrage"):
    pytest.importorskip(needed)

import pyrage  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: E402
from cryptography.hazmat.primitives.hashes import SHA256  # noqa: E402
from cryptography.hazmat.primitives.serialization import Encoding  # noqa: E402
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: E402

from scrubjay import cli, sealing, trust  # noqa: E402
from scrubjay.access import attempts, certificates, entry, people, sessions  # noqa: E402
from scrubjay.access.people import Caller, Provider  # noqa: E402
from scrubjay.access.testing import ADMIN, NOW, World  # noqa: E402
from scrubjay.errors import AccessError, ScrubjayError, UsageError  # noqa: E402
from scrubjay.vault import slots  # noqa: E402
from scrubjay.vault.vault import Vault  # noqa: E402

ISSUER = "https://login.example.org"
OTHER = "https://login.example.net"


@pytest.fixture
def world():
    return World()


# Tokens


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Login:
    """An identity provider."""

    def __init__(self, name=ISSUER):
        self.name, self.key = name, Ed25519PrivateKey.generate()

    @property
    def keys(self):
        x = b64(self.key.public_key().public_bytes_raw())
        return json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": x}]})

    def token(self, now, **claims):
        told = {"iss": self.name, "aud": "scrubjay", "sub": "4711", "iat": now, "exp": now + 300}
        parts = ({"alg": "EdDSA", "kid": "1"}, told | claims)
        signed = ".".join(b64(json.dumps(part).encode()) for part in parts)
        return f"{signed}.{b64(self.key.sign(signed.encode()))}"


def take(world, login, claim="sub", now=NOW):
    provider = Provider("scrubjay", claim, login.keys, now)
    entry.set_issuer(world.register, ADMIN, login.name, provider, now=now)


def come(world, token, now=NOW, source="10.0.0.1"):
    return entry.by_token(world.register, token, source, now=now)


@pytest.mark.parametrize(("claim", "id"), [("sub", "4711"), ("oid", "an-object")])
def test_a_token_is_a_person_once_issuer_and_subject_are_registered(world, claim, id):
    login = Login()
    token = login.token(NOW, oid="an-object")
    with pytest.raises(AccessError, match="issuer is not known"):
        come(world, token)
    take(world, login, claim)
    with pytest.raises(AccessError, match="nobody's here"):
        come(world, token)
    people.link(world.register, ADMIN, "ana", subjects=(f"{ISSUER} {id}",), now=NOW)
    assert come(world, token) == Caller("ana", "token")
    with pytest.raises(AccessError, match="expired"):
        come(world, token, NOW + 360)
    people.remove(world.register, ADMIN, "ana", now=NOW)
    with pytest.raises(AccessError, match="nobody's here"):
        come(world, token, NOW + 359)


def test_a_token_without_the_claim_that_says_who_is_nobodys(world):
    login = Login()
    take(world, login, "oid")
    people.link(world.register, ADMIN, "ana", subjects=(f"{ISSUER} ",), now=NOW)
    with pytest.raises(AccessError, match="has no oid"):
        come(world, login.token(NOW))


def test_one_issuer_does_not_speak_for_another(world):
    one, other = Login(), Login(OTHER)
    take(world, one)
    take(world, other)
    people.link(world.register, ADMIN, "ana", subjects=(f"{ISSUER} 4711",), now=NOW)
    with pytest.raises(AccessError, match="signature is wrong"):
        come(world, other.token(NOW, iss=ISSUER))
    with pytest.raises(AccessError, match="nobody's here"):
        come(world, other.token(NOW))


def test_new_keys_and_no_issuer_end_old_tokens_and_sessions(world):
    login, new = Login(), Login()
    take(world, login)
    people.link(world.register, ADMIN, "ana", subjects=(f"{ISSUER} 4711",), now=NOW)
    session = sessions.begin(world.register, come(world, login.token(NOW)), NOW + 1)
    take(world, new, now=NOW + 1)
    with pytest.raises(AccessError, match="signature is wrong"):
        come(world, login.token(NOW), NOW + 1)
    with pytest.raises(AccessError, match="session is over"):
        sessions.resume(world.register, session, NOW + 2)
    assert come(world, new.token(NOW), NOW + 2)
    entry.set_issuer(world.register, ADMIN, ISSUER, None, now=NOW)
    with pytest.raises(AccessError, match="issuer is not known"):
        come(world, new.token(NOW), NOW + 2)
    with pytest.raises(AccessError, match="no issuer"):
        entry.set_issuer(world.register, ADMIN, ISSUER, None, now=NOW)


def test_who_forges_tokens_waits_and_who_is_late_does_not(world):
    login = Login()
    take(world, login)
    for _ in range(20):
        with pytest.raises(AccessError, match="expired"):
            come(world, login.token(NOW - 1000))
    looked = 0
    for second in range(60):
        with pytest.raises(AccessError) as caught:
            come(world, Login().token(NOW), NOW + second)
        looked += "signature is wrong" in str(caught.value)
    assert looked < 12
    with pytest.raises(AccessError, match="nobody's here"):
        come(world, login.token(NOW), source="10.0.0.2")


# Certificates


def certificate(*names, days=1, use=ExtendedKeyUsageOID.CLIENT_AUTH, at=NOW):
    key, name = (
        generate_private_key(SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ana")]),
    )
    begin = datetime.fromtimestamp(at, UTC) - timedelta(days=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=1 + days))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if use:
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    return builder.sign(key, SHA256())


def pem(*certificates):
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def show(world, raw, now=NOW):
    return certificates.by_certificate(world.register, raw, "10.0.0.1", now=now)


def test_a_certificate_is_one_persons_or_nobodys(world):
    own, renewed = certificate(), certificate(x509.RFC822Name("ana@example.org"))
    ways = (certificates.names(pem(own))[0], "email:ana@example.org")
    people.link(world.register, ADMIN, "ana", certificates=ways, now=NOW)
    for shown in (pem(own), own.public_bytes(Encoding.DER), pem(renewed)):
        assert show(world, shown) == Caller("ana", "certificate")
    with pytest.raises(AccessError, match="nobody's here"):
        show(world, pem(certificate()))
    people.link(world.register, ADMIN, "bo", certificates=("dns:bo",), now=NOW)
    both = certificate(x509.RFC822Name("ana@example.org"), x509.DNSName("bo"))
    with pytest.raises(AccessError, match="nobody's here"):
        show(world, pem(both))
    with pytest.raises(AccessError, match="same certificate"):
        people.link(world.register, ADMIN, "bo", certificates=ways, now=NOW)


def test_a_name_of_another_kind_is_another_name(world):
    people.link(
        world.register, ADMIN, "ana", certificates=("dns:ana.example.org", "email:a@b"), now=NOW
    )
    kinds = [x509.UniformResourceIdentifier("ana.example.org"), x509.DNSName("a@b")]
    kinds += [x509.IPAddress(ipaddress.ip_address("10.0.0.1")), x509.RFC822Name("ana.example.org")]
    for name in kinds:
        with pytest.raises(AccessError, match="nobody's here"):
            show(world, pem(certificate(name)))
    assert show(world, pem(certificate(x509.DNSName("ana.example.org")))).person == "ana"


@pytest.mark.parametrize(
    ("shown", "refused"),
    [
        (lambda own: pem(certificate(days=-0.5)), "not valid now"),
        (lambda own: pem(certificate(at=NOW + 100_000)), "not valid now"),
        (lambda own: pem(certificate(use=ExtendedKeyUsageOID.SERVER_AUTH)), "not for clients"),
        (lambda own: pem(own, own), "several certificates"),
        (lambda own: pem(own)[:200], "no certificate"),
        (lambda own: own.public_bytes(Encoding.DER)[:-1], "no certificate"),
        (lambda own: b"", "no certificate"),
    ],
)
def test_a_certificate_that_is_not_good_is_refused_and_logged(world, shown, refused):
    with pytest.raises(AccessError, match=refused):
        show(world, shown(certificate()))
    assert world.events[-1].action == "entry.certificate" and refused in world.events[-1].refused


def test_what_openssl_makes_is_read(tmp_path, world):
    words = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out c.pem"
    )
    names = ["-subj", "/CN=Ana", "-addext", "subjectAltName=email:ana@example.org,URI:urn:ana"]
    made = subprocess.run(["openssl", *words.split(), *names], cwd=tmp_path, capture_output=True)
    if made.returncode:
        pytest.skip("no openssl here")
    first, *others = certificates.names((tmp_path / "c.pem").read_bytes())
    told = ["openssl", "x509", "-in", "c.pem", "-noout", "-fingerprint", "-sha256"]
    shown = subprocess.run(told, cwd=tmp_path, capture_output=True, text=True).stdout
    assert first == "sha256:" + shown.split("=")[1].strip().replace(":", "").lower()
    assert others == ["email:ana@example.org", "uri:urn:ana"]
    people.link(world.register, ADMIN, "ana", certificates=(first,), now=NOW)
    shown = (tmp_path / "c.pem").read_bytes()
    assert show(world, shown, int(time.time()) + 5).person == "ana"


# On the command line


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Calls a command as somebody's account; its output, or the error."""
    (tmp_path / "machine.key").write_bytes(bytes(range(32)))
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SCRUBJAY_KEY_FILE", str(tmp_path / "machine.key"))
    monkeypatch.chdir(tmp_path)

    def call(who, *words, status=0, **shown):
        monkeypatch.setattr(trust, "account", lambda: who)
        env = {f"SCRUBJAY_{name}": value for name, value in shown.items()}
        done = CliRunner().invoke(cli.group, [*map(str, words)], env=env)
        if isinstance(done.exception, ScrubjayError):
            assert done.exception.exit_status == status, done.exception
            return str(done.exception)
        assert done.exit_code == status, done.output
        return done.output.strip()

    (tmp_path / "auditor.key").write_text(call("ada", "keys", "init").splitlines()[-1])
    call("ada", "people", "first", "ada")
    for name, role in {"ana": "de-identify", "eli": "audit"}.items():
        call("ada", "people", "add", name, "--role", role)
    return call


def heard(run, action):
    """What the log has of an action, read as an auditor: outcome, who, details."""
    key = sealing.opened(Path("auditor.key"))
    rows = map(json.loads, run("eli", "audit", "query", "--action", action).splitlines())
    return [
        (row["outcome"], row["who"],
         pyrage.decrypt(base64.b64decode(row["details"]), [key]).decode())
        for row in rows
    ]  # fmt: skip


def test_a_token_comes_in_on_the_command_line_and_the_log_says_so(run, tmp_path):
    login, now = Login(), int(time.time())
    (tmp_path / "jwks.json").write_text(login.keys)
    token = login.token(now)
    register = ("people", "issuer", ISSUER, "--audience", "scrubjay", "--keys", "jwks.json")
    run("ada", *register)
    run("ada", "people", "subject", "ana", "--issuer", ISSUER, "4711")
    assert "1 token subject" in run("eli", "people", "list")
    assert f"issuer {ISSUER} for scrubjay, by sub" in run("eli", "people", "list")
    assert "everything" in run("mallory", "policy", "list", ID_TOKEN=token)
    assert "may not people.add" in run(
        "mallory", "people", "add", "eve", "--role", "detect", ID_TOKEN=token, status=3
    )
    (tmp_path / "jwks.json").write_text(Login().keys)
    run("ada", *register)  # the provider has other keys now
    assert "signature is wrong" in run("mallory", "policy", "list", ID_TOKEN=token, status=3)
    assert "not both" in run("mallory", "policy", "list", ID_TOKEN=token, API_KEY="x", status=1)
    run("ada", "people", "issuer", ISSUER, "--remove")
    assert "issuer is not known" in run("mallory", "policy", "list", ID_TOKEN=token, status=3)
    told = heard(run, "entry.token")
    assert [(outcome, who) for outcome, who, _ in told] == [("done", "ana")] * 2 + [
        ("refused", "")
    ] * 2
    assert told[0][2] == f"source=account mallory; subject={ISSUER} 4711"
    assert "refused=the token's signature is wrong" in told[2][2]
    assert not any(token[:40] in details or token[-40:] in details for *_, details in told)


def test_api_keys_are_made_used_revoked_and_the_log_says_so(run):
    key = run("ana", "people", "key", "ana")
    run("mallory", "policy", "list", API_KEY=key)
    wrong = key[:-1] + ("a" if key[-1] != "a" else "b")
    run("mallory", "policy", "list", API_KEY=wrong, status=3)
    run("ana", "people", "revoke", "ana", key[4:20])
    run("mallory", "policy", "list", API_KEY=key, status=3)
    told = heard(run, "entry.key")
    assert [(outcome, who) for outcome, who, _ in told] == [
        ("done", "ana"), ("refused", "ana"), ("refused", "")
    ]  # fmt: skip
    assert "why=wrong" in told[1][2] and "why=unknown" in told[2][2]
    assert not any(key[21:40] in details for *_, details in told)


def test_the_lock_after_failures_outlives_the_process_and_is_one_accounts_own(run, tmp_path):
    key = run("ana", "people", "key", "ana")
    for _ in range(6):
        run("mallory", "policy", "list", API_KEY=f"sjk_{'a' * 16}_{'b' * 52}", status=3)
    assert "too many failed" in run("mallory", "policy", "list", API_KEY=key, status=3)
    assert "everything" in run("bo", "policy", "list", API_KEY=key)
    vault = Vault.open(tmp_path / "home" / "vault", slots.key_file(tmp_path / "machine.key"))
    ledger = trust.Trust(tmp_path / "home", vault).register.ledger
    for _ in range(6):  # as many as some minutes of guessing leave
        attempts.failed(ledger, ["source account mallory"], int(time.time()))
    vault.close()
    code = "import scrubjay.trust as t, scrubjay.cli as c; t.account = lambda: 'mallory'"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; c.main(['policy', 'list'])"], capture_output=True,
        text=True, env={**os.environ, "SCRUBJAY_API_KEY": key},
    )  # fmt: skip
    assert done.returncode == 3 and "too many failed" in done.stderr


def test_a_certificate_is_registered_from_its_file(run, tmp_path):
    (tmp_path / "ana.pem").write_bytes(pem(certificate()))
    assert run("ada", "people", "certificate", "ana", "ana.pem") == "ana: 1 certificate"
    assert "(1 certificate)" in run("eli", "people", "list")
    run("ada", "people", "certificate", "ana", "--by-name", "email:ana@example.org")
    assert "begins with email:" in run(
        "ada", "people", "certificate", "ana", "--by-name", "ana", status=1
    )
    assert "no certificate" in run("ada", "people", "certificate", "ana", "machine.key", status=1)
    assert run("ada", "people", "certificate", "ana") == "ana: 0 certificates"
    assert "nobody sets their own" in run("ada", "people", "certificate", "ada", status=3)


def test_who_looks_at_what_is_found_is_logged(run, tmp_path):
    (tmp_path / "a.txt").write_text("Call 555-010-7788.\n")
    run("ana", "detect", "a.txt", "--profile", "patterns", "--show-text")
    assert heard(run, "detect") == [("done", "ana", "values are shown")]


def test_a_claim_that_can_change_says_nobody(world):
    with pytest.raises(UsageError, match="sub or oid"):
        take(world, Login(), "email")


def test_a_key_that_ends_during_a_run_releases_nothing_more(world):
    shown = world.key("robot", ("detect.run",), NOW + 60)
    caller = world.enter(shown)
    world.register.require(caller, "detect.run", NOW + 59)
    with pytest.raises(AccessError, match="revoked or expired meanwhile"):
        world.register.require(caller, "detect.run", NOW + 60)
