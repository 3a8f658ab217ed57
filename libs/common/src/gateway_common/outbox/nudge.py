"""Wake the relay right after a commit.

PostgreSQL's NOTIFY takes a database-wide lock when it commits, so it is not sent with every statement: a process
sends at most one NOTIFY per `INTERVAL_SECONDS`, after the commits it stands for. A lost nudge only costs time: the relay polls.
"""

from __future__ import annotations

import asyncio
from typing import Any

from gateway_common.database import Connection, Database
from gateway_common.errors import DatabaseUnavailableError

CHANNEL = "outbox"
INTERVAL_SECONDS = 0.02


class OutboxNudge:
    """`nudge()` after a commit; `run()` is a background task of every process that writes to the outbox."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wanted = asyncio.Event()

    def nudge(self) -> None:
        self._wanted.set()

    async def run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self._database.execute(f"SELECT pg_notify(current_schema() || '.{CHANNEL}', '')")
            await asyncio.sleep(INTERVAL_SECONDS)


class OutboxListener:
    """The relay's end: `wait(seconds)` returns on a nudge or when the time is over."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._heard = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        except TimeoutError:
            pass
        self._heard.clear()

    async def run(self) -> None:
        """Hold one connection that listens; raises `DatabaseUnavailableError` when it is lost, to be started again."""
        async with self._database.connection() as connection:
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _connection: lost.set())
            schema = await connection.fetchval("SELECT current_schema()")
            await connection.add_listener(f"{schema}.{CHANNEL}", self._on_notify)
            self._heard.set()
            try:
                await lost.wait()
            finally:
                if not connection.is_closed():
                    await connection.remove_listener(f"{schema}.{CHANNEL}", self._on_notify)
        raise DatabaseUnavailableError

    def _on_notify(self, _connection: Connection | Any, _pid: int, _channel: str, _payload: object) -> None:
        self._heard.set()
