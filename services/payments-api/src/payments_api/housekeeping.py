"""What keeps the tables small: daily partitions of the outbox, fences over a day old."""

from __future__ import annotations

from gateway_common.clock import Clock
from gateway_common.database import Database, partitions
from gateway_common.idempotency import fence
from gateway_common.outbox.memory import RETENTION_DAYS

EVERY_SECONDS = 600.0


class Housekeeping:
    """`run_once` at migrate time, then now and then in the worker."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run_once(self) -> None:
        now = self._clock.now()
        await partitions.maintain(self._database, "outbox", column="created_at", now=now, keep_days=RETENTION_DAYS)
        await fence.delete_old(self._database, now)
