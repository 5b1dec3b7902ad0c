"""What the gateway in front of a language model adds to the first token.

    python benchmarks/serve_model.py --json benchmarks/results/serve_model.json

A model's service that answers at once (tests/model_upstream.py) is asked for a stream, straight and
through `scrubjay serve --openai`, turn by turn: a conversation of 1, 5 and 20 messages of 100 words
each. `again`: the conversation was sent before but for its last message, as chats do; `new`: none
of it was seen before. Milliseconds to the stream's first event.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import harness
import httpx
import serve

UPSTREAM, GATEWAY = 18_620, 18_621
TURNS = (1, 5, 20)
ROOT = Path(__file__).parent.parent
PATH = "/chat/completions"


@contextlib.contextmanager
def running(command: list[str], address: str, told: dict[str, str]) -> Iterator[None]:
    """A service, as soon as it answers."""
    process = subprocess.Popen(command, env=os.environ | told, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    try:
        while process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(address)
                break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(60)


def first(client: httpx.Client, messages: list[dict[str, str]]) -> float:
    """Milliseconds to the first event."""
    began = time.perf_counter()
    body = {"model": "m", "stream": True, "messages": messages}
    with client.stream("POST", PATH.removeprefix("/"), json=body) as answer:
        answer.raise_for_status()
        chunks = answer.iter_raw()
        next(chunks)
        took = (time.perf_counter() - began) * 1000
        for _ in chunks:
            pass
    return took


def measured(straight: httpx.Client, gateway: httpx.Client, rounds: int) -> dict[str, Any]:
    """Both, one after the other, so that noise meets both."""
    result: dict[str, Any] = {}
    notes = iter(serve.asked((rounds + 1) * (sum(TURNS) + len(TURNS)) * 11 // 10))
    for turns in TURNS:
        took: dict[str, list[float]] = {"straight": [], "new": [], "again": []}
        for number in range(rounds + 1):
            said = [{"role": "user", "content": next(notes)} for _ in range(turns)]
            times = {"straight": first(straight, said), "new": first(gateway, said)}
            said[-1:] = [{"role": "user", "content": next(notes)}]
            times["again"] = first(gateway, said)
            if number:  # the first one opens connections
                for name, one in times.items():
                    took[name].append(one)
        middle = {name: round(statistics.median(every), 2) for name, every in took.items()}
        added = {f"added_{name}": round(middle[name] - middle["straight"], 2)
                 for name in ("new", "again")}  # fmt: skip
        result[f"{turns} turns"] = middle | added
    return result


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--profile", default="balanced")
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    from scrubjay.detectors import built

    key, url = secrets.token_hex(16), f"http://127.0.0.1:{UPSTREAM}"
    own, through = f"{url}/v1", f"http://127.0.0.1:{GATEWAY}/openai/v1"
    app = [sys.executable, "-m", "uvicorn", "--factory", "model_upstream:app"]
    upstream = [
        *app,
        "--port",
        str(UPSTREAM),
        "--app-dir",
        str(ROOT / "tests"),
        "--log-level",
        "error",
    ]
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "cache").symlink_to(built.cache_folder())
        arguments = ["--port", GATEWAY, "--openai", own, "--processes", 1]
        arguments += ["--profile", told.profile]
        gateway = [sys.executable, "-m", "scrubjay", "serve", *map(str, arguments)]
        secret = {"SCRUBJAY_HOME": home, "SCRUBJAY_API_KEY": key, "SCRUBJAY_OPENAI_KEY": "none"}
        health = f"http://127.0.0.1:{GATEWAY}/healthz"
        bearer = {"Authorization": f"Bearer {key}"}
        with (
            running(upstream, url, {}), running(gateway, health, secret),
            httpx.Client(base_url=own) as straight,
            httpx.Client(base_url=through, headers=bearer, timeout=60) as model,
        ):  # fmt: skip
            found = measured(straight, model, told.rounds)
    result = {"machine": harness.machine(), "profile": told.profile, "rounds": told.rounds, **found}
    print(json.dumps(result, indent=1))
    harness.write(told.json, result)


if __name__ == "__main__":
    main()
