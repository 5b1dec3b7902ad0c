"""What is asked of a connection before anything is read of it: a request's head comes soon and is
short, so that who opens thousands and says little takes no place and no memory from others.
"""

from __future__ import annotations

import asyncio
import contextlib

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from scrubjay.serve import problems

SOON = 20  # seconds from a connection, or a request's first byte, to the end of its head
SHORT = 1 << 16  # bytes of a head


class Wire(HttpToolsProtocol):  # uvicorn takes a class here, and has no such bounds
    """A connection."""

    _late: asyncio.TimerHandle | None = None
    _head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It begins, and the wait for a first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._waited()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """More of a request."""
        super().data_received(data)
        if self._late:
            self._head += len(data)
            if self._head > SHORT:
                self._refuse(431, "the head of the request is longer than 64 KiB")

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        if not self._late:
            self._wait()

    def on_headers_complete(self) -> None:
        """The last byte of a head."""
        self._waited()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """What came is no request."""
        self._refuse(400, "what came is no request of HTTP/1.1")

    def _wait(self) -> None:
        self._head = 0
        self._late = self.loop.call_later(SOON, self._refuse, 408, f"no head within {SOON} s")

    def _waited(self) -> None:
        if self._late:
            self._late.cancel()
            self._late = None

    def _refuse(self, status: int, what: str) -> None:
        self._waited()
        answer = problems.answer(status, "input", what, "the connection", Connection="close")
        head = b"".join(name + b": " + value + b"\r\n" for name, value in answer.raw_headers)
        self.transport.write(b"HTTP/1.1 %d \r\n%s\r\n%s" % (status, head, answer.body))
        self.transport.close()


def room() -> None:
    """As many connections as the system lets this process have."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
