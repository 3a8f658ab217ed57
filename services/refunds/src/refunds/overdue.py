"""Drive on what waits for longer than expected, whatever was lost on the way."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client import Counter, Gauge

from gateway_common.clock import Clock
from gateway_common.database import Database
from gateway_common.logs import get_logger
from gateway_common.outbox import writing
from gateway_common.outbox.nudge import OutboxNudge
from refunds import rendering, repositories

log = get_logger(__name__)

BATCH_SIZE = 200

OLDEST_PENDING_SECONDS = Gauge("refunds_oldest_pending_seconds", "Age of the oldest refund that waits for the bank")
REQUESTED_AGAIN = Counter("refunds_requested_again_total", "Refunds that the processor was asked for again")


class OverdueRefunds:
    """`sweep` sends the processor the same message again; the bank knows the refund's id, so money leaves once."""

    def __init__(self, database: Database, nudge: OutboxNudge, clock: Clock, expected: timedelta) -> None:
        self._database = database
        self._nudge = nudge
        self._clock = clock
        self._expected = expected

    async def sweep(self) -> None:
        while True:
            async with self._database.transaction() as transaction:
                overdue = await repositories.claim_overdue(transaction, self._expected, BATCH_SIZE)
                await writing.add(transaction, [rendering.request(refund) for refund in overdue])
            if overdue:
                REQUESTED_AGAIN.inc(len(overdue))
                log.warning("refunds.requested_again", count=len(overdue))
                self._nudge.nudge()
            if len(overdue) < BATCH_SIZE:
                break
        oldest = await repositories.oldest_pending(self._database)
        OLDEST_PENDING_SECONDS.set(0 if oldest is None else (self._clock.now() - oldest).total_seconds())
