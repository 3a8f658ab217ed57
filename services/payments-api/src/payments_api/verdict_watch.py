"""Wait for the verdict of a payment without holding a connection: one query for everyone who waits in this process."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from gateway_common.database import Database
from gateway_common.errors import DatabaseUnavailableError
from payments_api.repositories import payments

POLL_SECONDS = 0.2


class VerdictWatch:
    """`run` is a background task of the web process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._someone_waits = asyncio.Event()

    async def wait(self, payment_id: str, seconds: float) -> None:
        """Returns when the payment is no longer pending, or when the time is over."""
        decided = asyncio.Event()
        self._waiting[payment_id].add(decided)
        self._someone_waits.set()
        try:
            async with asyncio.timeout(seconds):
                await decided.wait()
        except TimeoutError:
            return
        finally:
            self._waiting[payment_id].discard(decided)
            if not self._waiting[payment_id]:
                del self._waiting[payment_id]

    async def run(self) -> None:
        while True:
            await self._someone_waits.wait()
            if not self._waiting:
                self._someone_waits.clear()
                continue
            await self._look()
            await asyncio.sleep(POLL_SECONDS)

    async def _look(self) -> None:
        try:
            decided = await payments.decided_among(self._database, list(self._waiting))
        except DatabaseUnavailableError:
            return
        for payment_id in decided:
            for event in self._waiting.get(payment_id, ()):
                event.set()
