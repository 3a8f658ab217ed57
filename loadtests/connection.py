"""One keep-alive HTTP/1.1 connection, with as little work per request as Python allows.

A load generator on the machine under test takes the processor from what it measures. This reads only what our answers
have: a status line, `Content-Length`, a body.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import cast

_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0 means that there was none: the connection was refused or lost."""

    status: int
    head: bytes
    body: bytes


NO_ANSWER = Answer(0, b"", b"")


class Connection(asyncio.Protocol):
    """Sends one request at a time; `send` again once the future it gave has its answer."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._answer: asyncio.Future[Answer] | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has no such base

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # lost is lost
        self._transport = None
        self._settle(NO_ANSWER)

    def send(self, request: bytes) -> asyncio.Future[Answer]:
        """`request` is the whole of it, head and body."""
        self._answer = asyncio.get_running_loop().create_future()
        if self._transport is None:
            self._settle(NO_ANSWER)
        else:
            self._received.clear()
            self._transport.write(request)
        return self._answer_pending

    @property
    def _answer_pending(self) -> asyncio.Future[Answer]:
        assert self._answer is not None
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._received[:end])
        body_start = end + 4
        if len(self._received) - body_start < content_length(head):
            return
        self._settle(Answer(int(head[9:12]), head, bytes(self._received[body_start:])))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _settle(self, answer: Answer) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)


def content_length(head: bytes) -> int:
    """The announced length of the body; 0 without one."""
    lowered = head.lower()
    start = lowered.find(_LENGTH)
    if start < 0:
        return 0
    end = lowered.find(b"\r", start)
    return int(lowered[start + len(_LENGTH) : end if end >= 0 else len(lowered)])


async def connect(host: str, port: int) -> Connection:
    """Raises OSError when nobody listens."""
    _, connection = await asyncio.get_running_loop().create_connection(Connection, host, port)
    return connection
