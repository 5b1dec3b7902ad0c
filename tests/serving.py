"""A service for tests: in this process, or as people start it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import uvicorn
from starlette.testclient import TestClient

from scrubjay.detectors import built
from scrubjay.serve import server, store
from scrubjay.serve.app import State, application
from scrubjay.serve.metrics import Metrics

KEY = "a key that tests have chosen"
NOTE = "Mr. Quentin Quarles, SSN 536-90-4399, seen 2024-03-04"


class Service(NamedTuple):
    """One in this process."""

    client: TestClient
    state: State
    place: store.Place
    keys: dict[str, str]


@contextmanager
def service(monkeypatch: Any, folder: Path, **told: Any) -> Iterator[Service]:
    """A service with a store of its own under a folder. `told`: settings."""
    compiled(folder)
    monkeypatch.setenv("SCRUBJAY_HOME", str(folder))
    place, keys = store.made(KEY)
    metrics = Metrics()
    state = server.state(server.Settings(**{"profile": "patterns"} | told), place, metrics)
    client = TestClient(application(state), "http://127.0.0.1", raise_server_exceptions=False)
    client.headers["Authorization"] = f"Bearer {KEY}"
    with client:
        yield Service(client, state, place, keys)


def logged(one: Service, action: str = "") -> list[Any]:
    """What its log has, in order."""
    trust = one.place.open()
    try:
        found = [item.entry for item in trust.entries() if item.entry]
        return [entry for entry in found if action in ("", entry.action)]
    finally:
        trust.close()
        trust.vault.close()


def compiled(home: Path) -> None:
    """Let a home have the patterns that this one has compiled already."""
    (home / "cache").symlink_to(built.cache_folder())


@contextmanager
def started(*arguments: str, home: Path) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    """`scrubjay serve`, as a process."""
    compiled(home)
    environment = os.environ | {"SCRUBJAY_HOME": str(home), "SCRUBJAY_API_KEY": KEY}
    command = [sys.executable, "-m", "scrubjay", "serve", "--port", "0", *arguments]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    try:
        address = process.stderr.readline().split()[1]
        with httpx.Client(base_url=address, headers={"X-API-Key": KEY}, timeout=30) as client:
            yield client, process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(40)


def children(pid: int) -> list[int]:
    """The processes that a service's first one has started, but for those that only tidy up."""
    told = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True
    )
    return [int(line.split()[0]) for line in told.stdout.splitlines() if " serve " in line]


def until(true: Any, seconds: float = 20) -> Any:
    """What a function gives as soon as it gives something."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


@contextmanager
def running(app: Any) -> Iterator[str]:
    """An application behind a real socket, in a thread: its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
