"""Everything that can go wrong, and what each thing means to a shell and to an HTTP client.

    ScrubjayError
    ├── UsageError           the call itself is wrong                       exit 1   HTTP 400
    │   ├── PolicyError      a policy file or value is wrong                exit 1   HTTP 422
    │   ├── CatalogueError   a pattern or label file is wrong               exit 1   HTTP 500
    │   ├── ExtraError       an optional part is not installed              exit 1   HTTP 500
    │   ├── BundleError      a tagger's bundle is damaged or not for here   exit 1   HTTP 500
    │   ├── VaultError       the vault cannot be opened, or lacks this      exit 1   HTTP 409
    │   ├── AccessError      who asks may not do this, or not yet           exit 3   HTTP 403
    │   │   ├── EntryError   who asks is not known                          exit 3   HTTP 401
    │   │   └── LimitError   who asks has asked too often                   exit 3   HTTP 429
    │   ├── MissingError     what is asked for is not here                  exit 1   HTTP 404
    │   ├── BusyError        too much is asked at once                      exit 1   HTTP 503
    │   └── UpstreamError    a service behind this one does not answer      exit 1   HTTP 502
    └── RefusedError         this input was not anonymized, nothing left    exit 2   HTTP 422
        ├── InputError       the input cannot be read as what it claims     exit 2   HTTP 400
        ├── DetectorError    a detector could not look at all of the text   exit 2   HTTP 500
        ├── OperatorError    a value could not be replaced                  exit 2   HTTP 500
        ├── OutputError      the result could not be written whole          exit 2   HTTP 500
        ├── AuditError       the log cannot be written, or is not whole     exit 2   HTTP 500
        └── QuarantineError  some of many inputs were not anonymized        exit 4   HTTP 422

A message says what, where, and what to do. It never holds document text.
"""

from __future__ import annotations

from typing import ClassVar


class ScrubjayError(Exception):
    """The root. `code` is stable: programs may match on it, people read the message."""

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 2
    http_status: ClassVar[int] = 500


class UsageError(ScrubjayError):
    """The call itself is wrong; nothing was read."""

    code = "usage"
    exit_status = 1
    http_status = 400


class PolicyError(UsageError):
    """A policy cannot be used. The message names file and line, and what is allowed there."""

    code = "policy"
    http_status = 422


class CatalogueError(UsageError):
    """A label or pattern file cannot be used."""

    code = "catalogue"
    http_status = 500


class ExtraError(UsageError):
    """What was asked needs an optional part. The message says how to install it."""

    code = "extra"
    http_status = 500


class BundleError(UsageError):
    """A tagger's bundle is damaged, of an unknown format, or gives wrong answers on this CPU."""

    code = "bundle"
    http_status = 500


class VaultError(UsageError):
    """The vault cannot be opened with this key, is damaged, or does not hold what was asked."""

    code = "vault"
    http_status = 409


class AccessError(UsageError):
    """Who asks is not known, may not do this, or needs an approval first."""

    code = "access"
    exit_status = 3
    http_status = 403


class EntryError(AccessError):
    """Who asks showed nothing, or nothing that is known here."""

    code = "entry"
    http_status = 401


class LimitError(AccessError):
    """Who asks has asked too often, and may again in `wait` seconds."""

    code = "limit"
    http_status = 429

    def __init__(self, message: str, wait: int) -> None:
        super().__init__(f"{message}; try again in {wait} s")
        self.wait = wait


class MissingError(UsageError):
    """What is asked for is not here."""

    code = "not_found"
    http_status = 404


class BusyError(UsageError):
    """Too much is asked at once: what came first is done first."""

    code = "busy"
    http_status = 503


class UpstreamError(UsageError):
    """A service that this one passes requests on to does not answer."""

    code = "upstream"
    http_status = 502


class RefusedError(ScrubjayError):
    """This input was not anonymized, and nothing of it was written."""

    code = "refused"
    http_status = 422


class InputError(RefusedError):
    """The input is not what it claims to be. The message says the place."""

    code = "input"
    http_status = 400


class DetectorError(RefusedError):
    """A detector could not look at all of the text."""

    code = "detector"
    http_status = 500


class OperatorError(RefusedError):
    """An operator could not replace a value."""

    code = "operator"
    http_status = 500


class OutputError(RefusedError):
    """The result could not be written whole, so it was not written."""

    code = "output"
    http_status = 500


class AuditError(RefusedError):
    """The log cannot be written, so nothing was released; or it is not what was written once."""

    code = "audit"
    http_status = 500


class QuarantineError(RefusedError):
    """Some of many inputs were not anonymized, and are on a list; the others are done."""

    code = "quarantine"
    exit_status = 4
