"""Load on a service over HTTP, for serve.py and soak.py: connections that stay open, a steady rate,
all that it can take, and what its processes hold in memory.

Standard library only, and little of the machine: it shares its cores with what it measures.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


def request(address: str, path: str, body: object, headers: dict[str, str]) -> bytes:
    """A request as it goes over the wire."""
    data = json.dumps(body).encode()
    lines = {"Host": urlsplit(address).netloc, "Content-Type": "application/json", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


class Line:
    """A connection that is kept, and made anew where the other side has closed it."""

    def __init__(self, address: str) -> None:
        self._at = urlsplit(address)
        self._pair: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, sent: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        if self._pair is None:
            self._pair = await asyncio.open_connection(self._at.hostname, self._at.port)
        reader, writer = self._pair
        try:
            writer.write(sent)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(length)
        except BaseException:
            self.close()
            raise
        if b"connection: close" in head:
            self.close()
        return int(head[9:12]), body

    def close(self) -> None:
        """Let it go."""
        if self._pair:
            self._pair[1].close()
        self._pair = None


async def steady(address: str, requests: Sequence[bytes], rate: float, seconds: float) -> Any:
    """So many a second, whatever the service does: milliseconds from when each was due."""
    free: asyncio.Queue[Line] = asyncio.Queue()
    for _ in range(32):
        free.put_nowait(Line(address))
    took: list[float] = []
    failed = 0

    async def one(due: float, sent: bytes) -> None:
        nonlocal failed
        line = await free.get()
        try:
            status, _ = await line.ask(sent)
            failed += status != 200
        except (OSError, EOFError):
            failed += 1
        took.append((time.perf_counter() - due) * 1000)
        free.put_nowait(line)

    began, asked = time.perf_counter(), []
    for number, sent in zip(range(int(rate * seconds)), cycle(requests)):
        due = began + number / rate
        await asyncio.sleep(max(0, due - time.perf_counter()))
        asked.append(asyncio.create_task(one(due, sent)))
    await asyncio.gather(*asked)
    return {"requests_per_second": rate, "requests": len(took), "failed": failed, **_shares(took)}


async def saturated(
    address: str, requests: Sequence[bytes], seconds: float, pid: int, *, lines: int = 32
) -> dict[str, Any]:
    """As many as it can take over so many connections, and its memory after each 10,000."""
    left, end = cycle(requests), time.perf_counter() + seconds
    took: list[float] = []
    memory: list[float] = [resident(pid)]
    failed = 0

    async def one() -> None:
        nonlocal failed
        line = Line(address)
        while (asked := time.perf_counter()) < end:
            try:
                status, _ = await line.ask(next(left))
                failed += status != 200
            except (OSError, EOFError):
                failed += 1
            took.append((time.perf_counter() - asked) * 1000)
            if len(took) % 10_000 == 0:
                memory.append(resident(pid))
        line.close()

    began, before = time.perf_counter(), spent(pid)
    await asyncio.gather(*(one() for _ in range(lines)))
    rate = (len(took) - failed) / (time.perf_counter() - began)
    used = (spent(pid) - before) / len(took) * 1000
    return {
        "requests_per_second": round(rate, 1), "connections": lines, "requests": len(took),
        "processor_ms_each": round(used, 3), "failed": failed, **_shares(took),
        "memory_mb": [*memory, resident(pid)],
    }  # fmt: skip


def _shares(took: Iterable[float]) -> dict[str, float]:
    ranked = sorted(took)
    shares = {"p50_ms": 0.5, "p90_ms": 0.9, "p99_ms": 0.99, "most_ms": 1.0}
    last = len(ranked) - 1
    return {name: round(ranked[min(last, math.ceil(s * last))], 2) for name, s in shares.items()}


def resident(pid: int) -> float:
    """Megabytes of a process and all below it; what they share counts once."""
    return round(sum(map(held, family(pid))), 1)


def held(pid: int) -> float:
    """Megabytes of one process, its part of what it shares (Pss); of one that is gone, none."""
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return round(int(text.partition("Pss:")[2].split()[0]) / 1024, 2)
    return 0.0


def spent(pid: int) -> float:
    """Processor seconds of a process and all below it: what else the machine does counts little."""
    ticks = 0
    for one in family(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> Iterator[int]:
    """A process and all that it has started."""
    yield pid
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from family(int(child))
