"""Client certificates: by what one is linked to a person, and who is behind one that TLS has
verified. A file of its own: what reads certificates takes long to load."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID

from scrubjay.access.entry import linked
from scrubjay.access.ledger import Event
from scrubjay.access.people import Caller, Register
from scrubjay.errors import UsageError

KINDS: dict[type[x509.GeneralName], str] = {
    x509.RFC822Name: "email",
    x509.DNSName: "dns",
    x509.UniformResourceIdentifier: "uri",
}


def by_certificate(register: Register, raw: bytes, source: str, *, now: int) -> Caller:
    """The caller behind a client certificate, PEM or DER, that TLS has verified: it is shown by who
    has its private key, and its issuer is trusted here. All that is linked leads to one person."""
    register.ledger.time(now)
    event = Event("entry.certificate", "", now, details={"source": source})
    try:
        certificate = _certificate(raw)
        ways = _names(certificate)
    except UsageError as problem:
        register.ledger.refuse(event, str(problem))
    event.details["certificate"] = ways[0]
    at = datetime.fromtimestamp(now, UTC)
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        register.ledger.refuse(event, "this certificate is not valid now; get a new one")
    return linked(register, "certificates", ways, event)


def names(raw: bytes) -> tuple[str, ...]:
    """By what a certificate, PEM or DER, can be linked to a person: first its SHA-256, which is its
    own alone; then its alternative names, which its issuer can give to the next one."""
    return _names(_certificate(raw))


def _certificate(raw: bytes) -> x509.Certificate:
    try:
        if not raw.lstrip().startswith(b"-----"):
            return x509.load_der_x509_certificate(raw)
        first, *others = x509.load_pem_x509_certificates(raw)
    except ValueError:
        raise UsageError("this is no certificate in PEM or DER") from None
    if others:
        raise UsageError("these are several certificates; give the person's own alone")
    return first


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        told = [extension.value for extension in certificate.extensions]
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        raise UsageError("this certificate cannot be read in one way; get another") from None
    uses = [use for one in told if isinstance(one, x509.ExtendedKeyUsage) for use in one]
    if uses and ExtendedKeyUsageOID.CLIENT_AUTH not in uses:
        raise UsageError("this certificate is not for clients; get one that is")
    held = [name for one in told if isinstance(one, x509.SubjectAlternativeName) for name in one]
    others = (f"{KINDS[type(name)]}:{name.value}" for name in held if type(name) in KINDS)
    return (f"sha256:{certificate.fingerprint(SHA256()).hex()}", *others)
