"""For programs that have texts and files cleaned by a service: `scrubjay serve`.

>>> client = Client()  # SCRUBJAY_URL, SCRUBJAY_API_KEY
>>> client.anonymize("Call Dr. Ann Lee at 555-010-7788").text
'Call Dr. [PERSON 1] at [PHONE 1]'

What goes wrong is the error that it is in the library, `PolicyError` or `AccessError`. Refused for
now (429, 503), or cut off where asking twice does no harm, a request is sent again. It needs no
more than the base install, follows no redirection and uses no proxy.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import os
import random
import ssl
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from email.message import Message
from pathlib import Path, PurePath
from typing import Any, BinaryIO, NamedTuple, Self, TypeVar
from urllib.parse import quote, unquote, urlencode, urlsplit

import msgspec
from msgspec import Struct, structs

from scrubjay import errors
from scrubjay.errors import LimitError, OutputError, ScrubjayError, UpstreamError, UsageError
from scrubjay.serve.types import Clean, Found, LabelRow, PolicyRow, Text

HERE = "http://127.0.0.1:8600"
NO_ADDRESS = "the service's address is no http:// or https:// one"
TOGETHER = 1 << 16  # bytes that are sent at once: the service takes them before we read its answers
TEXTS = 256
BLOCK = 1 << 18
IDLE = 4.0  # seconds: the service closes a connection that is idle for five
LOST = (ConnectionError, http.client.HTTPException, ssl.SSLEOFError)
JSON, NDJSON, ZIP = "application/json", "application/x-ndjson", "application/zip"
KINDS: dict[str, type[ScrubjayError]] = {
    kind.code: kind for kind in vars(errors).values() if hasattr(kind, "code")
}
T = TypeVar("T")


class Patience(NamedTuple):
    """How often a request is sent, and how long is waited: what `Retry-After` says, else longer
    each time."""

    tries: int = 6
    first: float = 0.2  # seconds
    longest: float = 60.0
    sleep: Callable[[float], None] = time.sleep
    dice: Callable[[], float] = random.random

    def wait(self, after: int, told: str) -> None:
        """After so many tries."""
        longer = self.first * 2**after * (0.5 + self.dice())
        self.sleep(min(float(told) if told.isdecimal() else longer, self.longest))


class Me(Struct, frozen=True):
    """Whose key it is, and what they may do."""

    person: str
    roles: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()


class Cleaned(Struct, frozen=True):
    """What became of a file, and where it is now."""

    path: Path
    format: str
    counts: dict[str, int]
    left_out: dict[str, int]
    policy: str


class Job(Struct, frozen=True):
    """How a job stands: `waiting`, `running`, `done`, `stopped` or `failed`."""

    id: str
    state: str
    files: int = 0
    done: int = 0
    bytes: int = 0
    rate: float = 0.0
    left_seconds: float | None = None
    quarantined: int = 0
    started: int = 0
    policy: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state not in ("waiting", "running")


class _Problem(Struct, frozen=True):
    code: str
    what: str
    where: str = ""
    todo: str = ""


class _Told(Struct, frozen=True):
    error: _Problem


class _Line(Struct, frozen=True):
    """An answer of a batch: a clean text, but for this."""

    error: _Problem | None = None


class _Made(Struct, frozen=True):
    id: str


class _Restored(Struct, frozen=True):
    text: str


class _Report(Struct, frozen=True):
    format: str = ""
    counts: dict[str, int] = {}
    left_out: dict[str, int] = {}
    policy: str = ""


class _Call(NamedTuple):
    """A request. `again`: whether asking twice does no harm."""

    method: str
    path: str
    body: bytes | BinaryIO = b""
    media: str = JSON
    again: bool = True


class Client:
    """A service at an address, with a key. For one thread; closed when it is left."""

    def __init__(
        self, url: str = "", key: str = "", *, authority: Path | None = None,
        timeout: float = 300.0, patience: Patience | None = None,
    ) -> None:  # fmt: skip
        url = url or os.environ.get("SCRUBJAY_URL", HERE)
        self._key = (key or os.environ.get("SCRUBJAY_API_KEY", "")).strip()
        if not self._key:
            raise UsageError("no key: set SCRUBJAY_API_KEY, or give key=")
        if not (self._key.isascii() and self._key.isprintable()):  # http.client would show it
            raise UsageError("the key has characters that no key has")
        self._to = _Address.of(url)
        self._tls = ssl.create_default_context(cafile=authority) if self._to.tls else None
        self._timeout, self._patience = timeout, patience or Patience()
        self._open: http.client.HTTPConnection | None = None
        self._used = 0.0
        self.jobs = Jobs(self)

    def __repr__(self) -> str:
        return f"Client({str(self._to)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the connection go; the next request makes another."""
        if self._open:
            self._open.close()
        self._open = None

    def me(self) -> Me:
        """Whose key it is."""
        return self.answer(_Call("GET", "/v1/me"), Me)

    def detect(self, text: str | Text, *, policy: str = "") -> Found:
        """Where personal data is. `Text` says more than a string: whose it is, what is known."""
        return self.answer(_Call("POST", "/v1/detect", _line(text, policy)), Found)

    def anonymize(self, text: str | Text, *, policy: str = "") -> Clean:
        """The text without it."""
        return self.answer(_Call("POST", "/v1/anonymize", _line(text, policy)), Clean)

    def batch(
        self, texts: Iterable[str | Text], *, policy: str = ""
    ) -> Iterator[Clean | ScrubjayError]:
        """Any number, in order, some at a time: of one that cannot be cleaned its error."""
        for lines in _together(_line(text, policy) for text in texts):
            call = _Call("POST", "/v1/batch", b"\n".join(lines), NDJSON)
            answers = self.raw(call).splitlines()
            if len(answers) != len(lines):
                raise UpstreamError(f"{self._to}: {len(answers)} answers to {len(lines)} texts")
            yield from map(_answered, answers)

    def file(self, source: Path, target: Path, *, policy: str = "", format: str = "") -> Cleaned:
        """A file of any kind, cleaned. `target`: the file to write, whole or not at all, or a
        folder, where it gets a clean name."""
        told = {"name": source.name, "policy": policy, "format": format}

        def taken(response: http.client.HTTPResponse) -> Cleaned:
            said = response.headers
            name = _name(said.get("Content-Disposition", "")) if target.is_dir() else ""
            report = _decoded(said.get("Scrubjay-Report", "{}").encode(), _Report)
            _save(response, target / name)
            return Cleaned(target / name, **structs.asdict(report))

        with _opened(source) as body:
            call = _Call("POST", f"/v1/files?{_query(told)}", body, "application/octet-stream")
            return self.take(call, taken)

    def restore(
        self, text: str, *, domain: str, approval: str, surrogates_of: Sequence[str] = ()
    ) -> str:
        """Values for the tokens of a text, and for surrogates of these subjects, once: what others
        have approved."""
        told = {"text": text, "domain": domain, "approval": approval,
                "surrogates_of": surrogates_of}  # fmt: skip
        call = _Call("POST", "/v1/restore", msgspec.json.encode(told), again=False)
        return self.answer(call, _Restored).text

    def policies(self) -> list[PolicyRow]:
        """Those that a request can name; the first is in force where none is named."""
        return self.answer(_Call("GET", "/v1/policies"), list[PolicyRow])

    def policy(self, name: str) -> str:
        """A policy as it is written, in TOML."""
        return self.raw(_Call("GET", f"/v1/policies/{quote(name, safe='')}")).decode()

    def save_policy(self, name: str, toml: str) -> None:
        """From now on a policy can be named so."""
        path = f"/v1/policies/{quote(name, safe='')}"
        self.raw(_Call("PUT", path, toml.encode(), "application/toml"))

    def labels(self) -> list[LabelRow]:
        """What can be found."""
        return self.answer(_Call("GET", "/v1/labels"), list[LabelRow])

    def answer(self, call: _Call, kind: type[T]) -> T:
        """What the service says to a call."""
        told: T = _decoded(self.raw(call), kind)
        return told

    def raw(self, call: _Call) -> bytes:
        """The same, as it came."""
        return self.take(call, http.client.HTTPResponse.read)

    def take(self, call: _Call, taken: Callable[[http.client.HTTPResponse], T]) -> T:
        """What is `taken` of the answer. The last try's problem is raised."""
        for after in range(self._patience.tries):
            later = ""
            try:
                response = self._exchanged(call)
                if response.status < 300:
                    return taken(response)
                later = response.headers.get("Retry-After", "")
                problem = _problem(str(self._to), response.status, response.read(), later)
                again = response.status in (429, 503)  # nothing was done
            except LOST as lost:
                self.close()
                again = call.again or isinstance(lost, ConnectionRefusedError)
                problem = self._cut_off(again)
            except OSError as fault:
                self.close()
                raise UpstreamError(f"{self._to}: {fault.strerror or fault}") from None
            if not again or after + 1 == self._patience.tries:
                raise problem
            self._patience.wait(after, later)
        raise UsageError("patience needs one try or more")

    def _cut_off(self, again: bool) -> ScrubjayError:
        if not again:
            return UpstreamError(f"{self._to}: cut off; it may have been done: look before again")
        return UpstreamError(f"{self._to} does not answer: is `scrubjay serve` running there?")

    def _exchanged(self, call: _Call) -> http.client.HTTPResponse:
        if not call.again or time.monotonic() - self._used > IDLE:
            self.close()
        self._used = time.monotonic()
        if self._open is None:
            self._open = self._to.connect(self._tls, self._timeout)
        if not isinstance(call.body, bytes):
            call.body.seek(0)
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": call.media}
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            # where it refuses before it has read all, it still says why
            self._open.request(call.method, self._to.path + call.path, call.body or None, headers)
        return self._open.getresponse()


class Jobs:
    """Folders and archives, which the service cleans while nobody waits."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def start(
        self, input: str, output: str, *, policy: str = "",
        only: Iterable[str] = (), skip: Iterable[str] = (),
    ) -> str:  # fmt: skip
        """The id of a new job, over folders of the service's machine."""
        told = {"input": input, "output": output, "policy": policy}
        body = msgspec.json.encode({**told, "only": [*only], "skip": [*skip]})
        return self._client.answer(_Call("POST", "/v1/jobs", body, again=False), _Made).id

    def upload(self, archive: Path, *, policy: str = "") -> str:
        """The id of a new job, over the files of a zip archive."""
        with _opened(archive) as body:
            call = _Call("POST", f"/v1/jobs?{_query({'policy': policy})}", body, ZIP, again=False)
            return self._client.answer(call, _Made).id

    def list(self) -> list[Job]:
        """The newest first."""
        return self._client.answer(_Call("GET", "/v1/jobs"), list[Job])

    def get(self, id: str) -> Job:
        """How it stands."""
        return self._client.answer(_Call("GET", _job(id)), Job)

    def stop(self, id: str) -> None:
        """As soon as what is in hand is done."""
        self._client.raw(_Call("POST", f"{_job(id)}/stop"))

    def resume(self, id: str) -> None:
        """Where it was."""
        self._client.raw(_Call("POST", f"{_job(id)}/resume", again=False))

    def forget(self, id: str) -> None:
        """Nothing of it stays with the service. It must be over."""
        self._client.raw(_Call("DELETE", _job(id), again=False))

    def wait(self, id: str, *, every: float = 1.0) -> Job:
        """When it is over."""
        while not (job := self.get(id)).over:
            time.sleep(every)
        return job

    def report(self, id: str) -> dict[str, Any]:
        """What was done: numbers, no text."""
        return self._client.answer(_Call("GET", f"{_job(id)}/report"), dict[str, Any])

    def quarantine(self, id: str) -> str:
        """Files that were not cleaned and why, a line each."""
        return self._client.raw(_Call("GET", f"{_job(id)}/quarantine")).decode()

    def output(self, id: str, target: Path) -> None:
        """What became of an upload, as a zip archive."""
        self._client.take(
            _Call("GET", f"{_job(id)}/output"), lambda response: _save(response, target)
        )


class _Address(NamedTuple):
    tls: bool
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> Self:
        """An address, if texts may be sent there."""
        try:
            told, port = urlsplit(url), urlsplit(url).port
        except ValueError:
            raise UsageError(NO_ADDRESS) from None
        if told.scheme not in ("http", "https") or not told.hostname:
            raise UsageError(NO_ADDRESS)
        tls = told.scheme == "https"
        if not (tls or _loopback(told.hostname)):
            raise UsageError(f"{told.hostname} is another machine: say https://, for texts and key")
        return cls(tls, told.hostname, port or (443 if tls else 80), told.path.rstrip("/"))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' * self.tls}://{host}:{self.port}{self.path}"

    def connect(self, tls: ssl.SSLContext | None, timeout: float) -> http.client.HTTPConnection:
        """A connection that is made when it is used."""
        if tls:
            return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=tls)
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _save(response: http.client.HTTPResponse, target: Path) -> None:
    """Into a file, whole or not at all."""
    try:
        handle, name = tempfile.mkstemp(prefix=".scrubjay-", dir=target.parent)
    except OSError as problem:
        raise OutputError(f"{target}: {problem.strerror}; nothing was written") from None
    try:
        with os.fdopen(handle, "wb") as stream:
            _pour(response, stream, target)
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)


def _pour(response: http.client.HTTPResponse, stream: BinaryIO, target: Path) -> None:
    while block := response.read(BLOCK):
        try:
            stream.write(block)
        except OSError as problem:
            raise OutputError(f"{target}: {problem.strerror}; nothing was written") from None
    if response.length:  # `read` does not say so
        raise ConnectionError


def _line(text: str | Text, policy: str) -> bytes:
    given = Text(text) if isinstance(text, str) else text
    try:
        return msgspec.json.encode(structs.replace(given, policy=policy or given.policy))
    except UnicodeEncodeError:
        raise UsageError("a text has half a character (a lone surrogate)") from None


def _together(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """As many as are sent at once: more, and both sides could wait for the other to read."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        if held and (len(held) == TEXTS or size + len(line) > TOGETHER):
            yield held
            held, size = [], 0
        held.append(line)
        size += len(line) + 1
    if held:
        yield held


def _answered(line: bytes) -> Clean | ScrubjayError:
    problem = _decoded(line, _Line).error
    answer: Clean | ScrubjayError = _error(problem, 422, "") if problem else _decoded(line, Clean)
    return answer


def _decoded(data: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise UpstreamError("what answers is no service of this version of Scrubjay") from None


def _problem(address: str, status: int, body: bytes, later: str) -> ScrubjayError:
    try:
        told = msgspec.json.decode(body, type=_Told).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return UpstreamError(f"{address} answered {status}, and not as a Scrubjay service does")
    return _error(told, status, later)


def _error(told: _Problem, status: int, later: str) -> ScrubjayError:
    kind = KINDS.get(told.code, UsageError if status < 500 else ScrubjayError)
    message = f"{told.what} ({told.where}); {told.todo}" if told.todo else told.what
    if kind is LimitError:
        return LimitError(
            told.what.partition("; try again")[0], int(later) if later.isdecimal() else 1
        )
    return kind(message)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as problem:
        raise UsageError(f"{path}: {problem.strerror}") from None


def _query(told: Mapping[str, str]) -> str:
    return urlencode({name: value for name, value in told.items() if value})


def _name(disposition: str) -> str:
    """The name that a service gives a file: no part of a path."""
    header = Message()
    header["Content-Disposition"] = disposition
    name = PurePath(unquote(header.get_filename("") or "")).name
    if not name or name.startswith("."):
        raise UpstreamError("the service told no name for the file: name one yourself")
    return name


def _job(id: str) -> str:
    return f"/v1/jobs/{quote(id, safe='')}"
