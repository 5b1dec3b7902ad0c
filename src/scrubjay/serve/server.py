"""Sockets, processes, TLS: from settings to something that answers.

A process a core, each with a listening socket of its own on the one port. The first loads what all
need and forks them, so that they start at once and share its memory. It has one thread, no event
loop, no vault open and no net loaded, whose runtime makes threads; it holds all sockets, and what
opens the vault, for as long as it forks a process again that has died: who connected meanwhile
waits, and is answered.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import ipaddress
import multiprocessing
import os
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn

from scrubjay import detect, policies
from scrubjay.detectors import tagger
from scrubjay.engine import Engine
from scrubjay.errors import OutputError, ScrubjayError, UsageError
from scrubjay.serve import traces, wordless
from scrubjay.serve.app import State, application
from scrubjay.serve.back import Back
from scrubjay.serve.clerk import Clerk
from scrubjay.serve.desk import Desk, Limits, Work
from scrubjay.serve.engines import Use
from scrubjay.serve.gate import Gate
from scrubjay.serve.metrics import Metrics
from scrubjay.serve.model.gateway import Models, Upstream
from scrubjay.serve.store import Place
from scrubjay.serve.wire import Wire, room

BACKLOG = 2048  # connections that wait to be accepted
GRACE = 30  # seconds in which what was accepted is answered
TURN = 0.0005  # seconds after which a thread lets another go on: an answer waits for no batch
AGAIN = 0.5  # seconds between a look at the processes and the next, if none dies
PAUSE = 0.1  # seconds before one is made again: of those that die at once there are few


class Settings(NamedTuple):
    """How a service is to run. `largest`: bytes of a file that somebody sends;
    `jobs_in`: folders that jobs may read and write; `names`: what callers call it, where something
    stands before it."""

    host: str = "127.0.0.1"
    port: int = 8600
    policy: str = "hipaa-safe-harbor"
    profile: str = "balanced"
    domain: str = ""
    processes: int = 1
    certificate: Path | None = None
    key: Path | None = None
    upstreams: Mapping[str, Upstream] = {}
    limits: Limits = Limits()
    open_presidio: bool = False
    largest: int = 1 << 30
    jobs_in: tuple[Path, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return loopback(self.host)

    @property
    def use(self) -> Use:
        """What engines are made by."""
        return Use(self.policy, self.profile, self.domain)


def prepare(settings: Settings) -> None:
    """Load what each process needs, before they are made of this one. Nothing personal."""
    policy = policies.load(settings.policy)
    Engine(policy, detect.detectors(policy, tagger.NONE)).endless()
    if settings.profile != tagger.NONE:
        net = importlib.import_module("scrubjay.model.tagger")
        threads = max(1, net.cores() // settings.processes)
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # for a net in each process
    if settings.upstreams:
        importlib.import_module("scrubjay.serve.model.passing")
    gc.collect()
    gc.freeze()  # a collection would write to every page, and each process have its own


def serve(settings: Settings, place: Place, sockets: list[socket.socket]) -> None:
    """Answer until somebody says stop; then finish what was accepted. One socket a process."""
    metrics = Metrics(len(sockets))
    if len(sockets) == 1:
        with contextlib.suppress(KeyboardInterrupt):  # how a stop ends
            _run(settings, place, sockets[0], metrics)
    else:
        _Processes(settings, place, metrics, sockets).run()


def check(settings: Settings) -> None:
    """Refuse clear text, and paths without a key, on anything but this machine itself."""
    if settings.processes < 1:
        raise UsageError("a service needs one process or more")
    if bool(settings.certificate) != bool(settings.key):
        raise UsageError("--certificate and --key go together")
    traces.check()
    if settings.open_presidio and not settings.is_local:
        raise UsageError("--open-presidio wants no key, so it listens on 127.0.0.1 alone")
    if not settings.is_local and settings.certificate is None:
        raise UsageError(
            f"--host {settings.host} can be reached from outside: give --certificate and "
            "--key, or listen on 127.0.0.1 behind something that has them"
        )
    if settings.certificate and settings.key:
        _check_pair(settings.certificate, settings.key)


def _check_pair(certificate: Path, key: Path) -> None:
    """Refuse what TLS could not begin with."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, lambda: "")
    except ssl.SSLError:
        raise UsageError(
            f"--certificate {certificate}, --key {key}: no pair in PEM, or the key has a passphrase"
        ) from None
    except OSError as problem:
        raise UsageError(f"--certificate {certificate}, --key {key}: {problem.strerror}") from None


def loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bound(settings: Settings) -> list[socket.socket]:
    """Sockets that listen already: who connects now waits, and is not refused."""
    _bound(settings, settings.port, shared=False).close()  # or another service would share it
    first = _bound(settings, settings.port, shared=settings.processes > 1)
    port = first.getsockname()[1]
    return [first, *(_bound(settings, port, shared=True) for _ in range(settings.processes - 1))]


def _bound(settings: Settings, port: int, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        made.bind((settings.host, port))
        made.listen(BACKLOG)
    except OSError as problem:
        made.close()
        where = f"{settings.host}:{port}"
        raise OutputError(f"{where}: {problem.strerror}; say another --port or --host") from None
    return made


class _Processes:
    """All of them, kept alive until it is told to stop."""

    def __init__(
        self, settings: Settings, place: Place, metrics: Metrics, sockets: list[socket.socket]
    ) -> None:
        self._context = multiprocessing.get_context("fork")
        self._settings, self._place = settings, place
        self._metrics, self._sockets = metrics, sockets
        self._stopping = False

    def run(self) -> None:
        """Until it is told to stop, or one of them cannot start."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        running = [self._start(row) for row in range(len(self._sockets))]
        try:
            while not self._stopping:
                if wait([process.sentinel for process in running], AGAIN):
                    time.sleep(PAUSE)
                for row, process in enumerate(running):
                    if not (self._stopping or process.is_alive()):
                        if (process.exitcode or 0) > 0:
                            raise UsageError("a process could not start: see above")
                        running[row] = self._start(row)
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.join(GRACE + 5)
                process.kill()

    def _start(self, row: int) -> BaseProcess:
        process = self._context.Process(target=self._child, args=(row, os.getpid()))
        process.start()
        return process

    def _child(self, row: int, parent: int) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # of Ctrl-C the first process hears too
        if self._stopping:  # it was told before it could hear
            return
        threading.Thread(target=_orphaned, args=(parent,), daemon=True).start()
        mine = self._sockets.pop(row)
        for other in self._sockets:
            other.close()
        self._metrics.take(row)
        try:
            _run(self._settings, self._place, mine, self._metrics)
        except ScrubjayError as problem:
            sys.stderr.write(f"scrubjay: {problem}\n")
            sys.exit(problem.exit_status)

    def _stop(self, *_: Any) -> None:
        self._stopping = True


def _orphaned(parent: int) -> None:
    """Stop when the first process is gone, however it went."""
    while os.getppid() == parent:
        time.sleep(AGAIN)
    os.kill(os.getpid(), signal.SIGTERM)


def _run(settings: Settings, place: Place, mine: socket.socket, metrics: Metrics) -> None:
    sys.setswitchinterval(TURN)
    room()
    wordless.install()
    app = traces.around(application(state(settings, place, metrics)))
    gc.collect()
    gc.freeze()  # what stays for good is not looked through again while everybody waits: 50 ms
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, loop="uvloop", http=Wire,
        ws="none", lifespan="on",
        timeout_graceful_shutdown=GRACE, backlog=BACKLOG,
        ssl_certfile=settings.certificate, ssl_keyfile=settings.key,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[mine])


def state(settings: Settings, place: Place, metrics: Metrics) -> State:
    """What requests use: a desk whose thread alone opens the vault."""
    gate = Gate(share=settings.processes)
    ended: list[Callable[[], None]] = []

    def begin() -> Work:
        trust = place.open()
        if not trust.register.people():
            raise UsageError("nobody is registered in this vault: scrubjay people says who may")
        clerk = Clerk(trust, gate, settings.use)
        ended.extend((trust.close, trust.vault.close))
        return clerk.work

    def end() -> None:
        for each in ended:
            each()

    desk = Desk(begin, end, settings.limits)
    desk.ready()
    return State(desk, gate, metrics, Back(settings, place), Models(settings.upstreams))
