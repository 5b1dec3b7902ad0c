"""A progress line on a terminal for what takes longer than a second; silence in a pipe."""

from __future__ import annotations

import sys
import time
from typing import Any, BinaryIO

import click


class Progress:
    """Counts the bytes read of a known or unknown total."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._started = self._shown = time.monotonic()
        self._visible = False
        self._on = self.seen()

    @staticmethod
    def seen() -> bool:
        """Whether anybody looks: a total that nobody sees need not be summed."""
        return sys.stderr.isatty()

    def watch(self, stream: BinaryIO) -> BinaryIO:
        """The same stream, counted."""
        return _Counted(stream, self) if self._on else stream  # type: ignore[return-value]

    def skip(self, size: int) -> None:
        """So many bytes were done before: nobody waits for them."""
        self._total -= size

    def add(self, size: int) -> None:
        """So many bytes more."""
        self._done += size
        if not self._on:
            return
        now = time.monotonic()
        if now - self._started > 1 and now - self._shown > 0.2:
            self._shown, self._visible = now, True
            rate = self._done / (now - self._started)
            share = f"{self._done / self._total:4.0%} " if self._total else ""
            left = f", {(self._total - self._done) / rate:.0f} s left" if self._total else ""
            click.echo(f"\r\x1b[K{share}{rate / 1e6:.1f} MB/s{left}", nl=False, err=True)

    def close(self) -> None:
        """Clear the line."""
        if self._visible:
            click.echo("\r\x1b[K", nl=False, err=True)


class _Counted:
    def __init__(self, stream: BinaryIO, progress: Progress) -> None:
        self._stream = stream
        self._progress = progress

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._progress.add(len(data))
        return data

    def readline(self, size: int = -1) -> bytes:
        data = self._stream.readline(size)
        self._progress.add(len(data))
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
