"""PDFium in a process of its own: what kills it there, or exceeds a bound, is an error here."""

from __future__ import annotations

import os
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from PIL import Image

from scrubjay import processes
from scrubjay.errors import InputError
from scrubjay.formats.pdf.drawn import Drawn

MEMORY = 1 << 30  # bytes that it may use
PATIENCE = 120.0  # seconds, for one page


class Apart:
    """As `Drawn`. The process ends with `close`, or with the one that uses it."""

    def __init__(self, data: bytes, pixels: int) -> None:
        self._pipe, there = Pipe()
        self._process = os.fork()
        if not self._process:
            try:
                _serve(there, data, pixels)
            finally:
                os._exit(0)  # nothing of the parent's is tidied up twice
        there.close()

    def close(self) -> None:
        """Whatever it is at."""
        self._pipe.close()
        if self._process:
            os.kill(self._process, 9)
            os.waitpid(self._process, 0)
            self._process = 0

    def picture(self, number: int) -> Image.Image:
        """A page as it is seen, annotations apart."""
        mode, size, data = self._asked("picture", number)
        return Image.frombytes(mode, size, data)

    def size(self, number: int) -> tuple[float, float]:
        """Width and height as seen, in points."""
        width, height = self._asked("size", number)
        return width, height

    def unexplained(self, number: int, text: str) -> int:
        """How many letters and digits are read there that `text` has not."""
        return int(self._asked("unexplained", number, text))

    def _asked(self, what: str, number: int, *more: Any) -> Any:
        try:
            self._pipe.send((what, number, *more))
            if not self._pipe.poll(PATIENCE):
                raise InputError(f"page {number + 1}: it takes more than {PATIENCE:.0f} s to draw")
            answer = self._pipe.recv()
        except (EOFError, OSError):
            raise InputError(
                f"page {number + 1}: its reader died: damaged, or it means harm"
            ) from None
        if isinstance(answer, InputError):
            raise answer
        return answer


def _serve(pipe: Connection[Any, Any], data: bytes, pixels: int) -> None:
    """Answers, until nobody asks. It has no file but its pipe, so that it holds none open."""
    os.closerange(3, pipe.fileno())
    os.closerange(pipe.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
    processes.bound(MEMORY)
    processes.end_with_parent()
    drawn: Drawn | None = None
    with suppress(EOFError, OSError):
        while True:
            what, *words = pipe.recv()
            try:
                drawn = drawn or Drawn(data, pixels)
                pipe.send(_plain(getattr(drawn, what)(*words)))
            except InputError as problem:
                pipe.send(problem)
            except MemoryError:
                pipe.send(InputError(f"page {words[0] + 1}: more than {MEMORY >> 20} MiB to draw"))


def _plain(answer: Any) -> Any:
    if isinstance(answer, Image.Image):
        return answer.mode, answer.size, answer.tobytes()
    return answer


def opened(data: bytes, pixels: int) -> Apart | Drawn:
    """The pages of a file, to be drawn: apart, where the system can."""
    return Apart(data, pixels) if hasattr(os, "fork") else Drawn(data, pixels)
