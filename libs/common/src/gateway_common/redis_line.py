"""One connection to Redis that all tasks of a process share: the commands of one turn of the event loop leave in one write.

redis-py takes a connection from its pool for each command and makes two system calls of it; under load that was a third
of what accepting a payment cost (docs/performance.md). Answers come in the order of the commands, so nothing else is
needed to share a line. A command is never sent twice: what a lost line leaves open is an error to its caller.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any, cast

import hiredis
import redis.exceptions as errors

# Short, answered at once, and never waiting on the server's side: a blocking command would hold up everyone's.
COMMANDS = frozenset({"DEL", "EVALSHA", "EXISTS", "EXPIRE", "GET", "GETDEL", "INCRBY", "PING", "SET", "TTL"})


def _as_error(text: str) -> Exception:
    if text.startswith("NOSCRIPT"):
        return errors.NoScriptError(text)
    if text.startswith("LOADING"):
        return errors.BusyLoadingError(text)
    return errors.ResponseError(text)


class RedisLine:
    """Connects when first used and again after it was lost. `settings` are redis-py's connection arguments."""

    def __init__(self, settings: dict[str, Any], timeout_seconds: float) -> None:
        self._settings = settings
        self._timeout_seconds = timeout_seconds
        self._link: _Link | None = None
        self._opening = asyncio.Lock()

    async def execute(self, *command: Any) -> Any:
        """Redis' answer as it came: bytes, int, None or a list.

        Raises:
            redis.exceptions.RedisError: an error of Redis, or of the line (`ConnectionError`, `TimeoutError`).
        """
        link = self._link
        if link is None or link.is_closed:
            link = await self._open()
        return await link.send(command)

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    async def _open(self) -> _Link:
        async with self._opening:
            if self._link is not None and not self._link.is_closed:
                return self._link
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    _, link = await asyncio.get_running_loop().create_connection(
                        lambda: _Link(self._timeout_seconds), self._settings["host"], self._settings["port"]
                    )
                    await self._introduce(link)
            except TimeoutError as error:
                raise errors.TimeoutError("Redis did not answer in time") from error
            except OSError as error:
                raise errors.ConnectionError(str(error)) from error
            self._link = link
            return link

    async def _introduce(self, link: _Link) -> None:
        password = self._settings.get("password")
        try:
            if password:
                user = self._settings.get("username")
                await link.send(("AUTH", user, password) if user else ("AUTH", password))
            if database := self._settings.get("db"):
                await link.send(("SELECT", database))
        except BaseException:
            link.close()  # refused, or too slow: nobody else would
            raise


class _Link(asyncio.Protocol):
    """One TCP connection, until it is lost."""

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader(protocolError=errors.InvalidResponse, replyError=_as_error)
        self._outgoing: list[bytes] = []
        self._open: deque[tuple[asyncio.Future[Any], float]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self.is_closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has no such base

    def send(self, command: tuple[Any, ...]) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = self._loop.create_future()
        if self.is_closed:
            answer.set_exception(errors.ConnectionError("The connection to Redis was lost"))
            return answer
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(hiredis.pack_command(command))
        self._open.append((answer, time.monotonic()))
        if self._timer is None:
            self._timer = self._loop.call_later(self._timeout_seconds, self._check_patience)
        return answer

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                answer, _ = self._open.popleft()
                if answer.done():  # its caller has gone away
                    continue
                if isinstance(reply, Exception):
                    answer.set_exception(reply)
                else:
                    answer.set_result(reply)
        except errors.InvalidResponse as error:
            self._end(error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(errors.ConnectionError(f"The connection to Redis was lost: {exc or 'closed by the server'}"))

    def close(self) -> None:
        self._end(errors.ConnectionError("The connection to Redis was closed"))

    def _flush(self) -> None:
        if self._transport is not None and not self.is_closed:
            self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()

    def _check_patience(self) -> None:
        """One timer for all: it looks at the command that has waited longest."""
        self._timer = None
        if not self._open:
            return
        remaining = self._open[0][1] + self._timeout_seconds - time.monotonic()
        if remaining <= 0:
            # Later answers would be taken for those of other commands, so the line ends with its first timeout.
            self._end(errors.TimeoutError("Redis did not answer in time"))
        else:
            self._timer = self._loop.call_later(remaining, self._check_patience)

    def _end(self, error: Exception) -> None:
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()
        while self._open:
            answer, _ = self._open.popleft()
            if not answer.done():
                answer.set_exception(error)
