"""Whose turn it is for a connection.

asyncpg's pool opens and closes connections, and resets one that was left in doubt. It makes a task and a timer for each
lending, though, which for one statement cost a third of the statement itself (docs/decisions/0057); what came back in good
order is therefore lent again right here.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field

import asyncpg

Connection = asyncpg.pool.PoolConnectionProxy

# A web request must be answered within 2 s when PostgreSQL is gone (API.md). While it answers others, a burst may wait its turn.
SILENCE_SECONDS = 1.2
LONGEST_QUEUE_SECONDS = 10.0
_LOOK_EVERY_SECONDS = 0.3


@dataclass(slots=True)
class _Waiter:
    """`offer` becomes a connection, or None: there is room to open one."""

    since: float
    offer: asyncio.Future[Connection | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Lending:
    """Lends up to `size` connections of `pool`, first come, first served; the one that was used last is lent first."""

    def __init__(self, pool: asyncpg.Pool, size: int) -> None:
        self._pool = pool
        self._size = size
        self._out_of_the_pool = 0
        self._free: list[Connection] = []
        self._waiting: deque[_Waiter] = deque()
        self._answered_at = 0.0
        self._look: asyncio.TimerHandle | None = None

    async def take(self) -> Connection:
        """Raises `TimeoutError` when nobody has had an answer for `SILENCE_SECONDS`, and whatever opening one raises."""
        since = 0.0
        while True:
            while self._free:
                connection = self._free.pop()
                if _is_in_order(connection):
                    return connection
                await self._put_away(connection)
            if self._out_of_the_pool < self._size:
                return await self._open()
            since = since or time.monotonic()
            offered = await self._wait(since)
            if offered is not None:
                self._free.append(offered)

    async def give_back(self, connection: Connection, *, was_answered: bool) -> None:
        """`was_answered`: all that it was asked came to a good end. What else happened is for the pool to look at."""
        if not was_answered or not _is_in_order(connection):
            await self._put_away(connection)
            return
        self._answered_at = time.monotonic()
        if not self._offer(connection):
            self._free.append(connection)

    async def close(self) -> None:
        """Those that are lent are waited for."""
        while self._free:
            await self._put_away(self._free.pop())
        await self._pool.close()

    def terminate(self) -> None:
        self._pool.terminate()

    async def _open(self) -> Connection:
        self._out_of_the_pool += 1
        try:
            return await self._pool.acquire()
        except BaseException:
            self._make_room()
            raise

    async def _put_away(self, connection: Connection) -> None:
        """The pool rolls back what is open and keeps the connection, or drops it."""
        try:
            await self._pool.release(connection)
        finally:
            self._make_room()

    def _make_room(self) -> None:
        self._out_of_the_pool -= 1
        self._offer(None)

    def _offer(self, connection: Connection | None) -> bool:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.offer.done():
                waiter.offer.set_result(connection)
                return True
        return False

    async def _wait(self, since: float) -> Connection | None:
        waiter = _Waiter(since)
        self._waiting.append(waiter)
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(_LOOK_EVERY_SECONDS, self._look_at_the_queue)
        try:
            return await waiter.offer
        except asyncio.CancelledError:
            # The offer may have been made in the same turn: it is the next one's.
            if waiter.offer.done() and not waiter.offer.cancelled() and waiter.offer.exception() is None:
                offered = waiter.offer.result()
                if not self._offer(offered) and offered is not None:
                    self._free.append(offered)
            raise

    def _look_at_the_queue(self) -> None:
        """One timer for all who wait: does the server answer anybody?"""
        now = time.monotonic()
        for waiter in self._waiting:
            is_silent = now - max(waiter.since, self._answered_at) > SILENCE_SECONDS
            if not waiter.offer.done() and (is_silent or now - waiter.since > LONGEST_QUEUE_SECONDS):
                waiter.offer.set_exception(TimeoutError("No connection to PostgreSQL became free"))
        self._waiting = deque(waiter for waiter in self._waiting if not waiter.offer.done())
        loop = asyncio.get_running_loop()
        self._look = loop.call_later(_LOOK_EVERY_SECONDS, self._look_at_the_queue) if self._waiting else None


def _is_in_order(connection: Connection) -> bool:
    try:
        return not connection.is_closed() and not connection.is_in_transaction()
    except asyncpg.InterfaceError:  # the pool has taken it back: its server closed it
        return False
