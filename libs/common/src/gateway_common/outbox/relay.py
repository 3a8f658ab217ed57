"""The relay: moves the outbox to the broker."""

from __future__ import annotations

import asyncio

from gateway_common import metrics
from gateway_common.broker.publisher import Publisher
from gateway_common.clock import Clock
from gateway_common.database import Database
from gateway_common.logs import get_logger
from gateway_common.outbox.messages import MESSAGE_COLUMNS, as_outgoing
from gateway_common.outbox.nudge import OutboxListener

log = get_logger(__name__)

BATCH_SIZE = 300
POLL_SECONDS = 1.0

_TAKE = f"""
SELECT {MESSAGE_COLUMNS} FROM outbox
WHERE sent_at IS NULL ORDER BY id {{order}} LIMIT {BATCH_SIZE} FOR UPDATE SKIP LOCKED
"""
_TAKE_OLDEST = _TAKE.format(order="ASC")
_TAKE_NEWEST = _TAKE.format(order="DESC")
_MARK_SENT = """
UPDATE outbox SET sent_at = $3
FROM unnest($1::bigint[], $2::timestamptz[]) AS sent (id, created_at)
WHERE outbox.id = sent.id AND outbox.created_at = sent.created_at AND sent_at IS NULL
"""


class Relay:
    """Background task `run`; several copies may run, each takes other rows.

    A batch is published while its rows are locked: the lock is the lease, and a relay that dies lets go of it at once.
    Only here and in `BrokerMemory` a transaction waits for something other than SQL, bounded by the confirm timeout.
    """

    def __init__(self, database: Database, publisher: Publisher, listener: OutboxListener, clock: Clock) -> None:
        self._database = database
        self._publisher = publisher
        self._listener = listener
        self._clock = clock

    async def run(self) -> None:
        while True:
            taken = await self.send_batch()
            if taken == BATCH_SIZE:
                # Behind a backlog (the broker was away) nobody who pays now should wait.
                taken = await self.send_batch(newest_first=True)
            if taken < BATCH_SIZE:
                await self._listener.wait(POLL_SECONDS)

    async def send_batch(self, *, newest_first: bool = False) -> int:
        """Publish up to `BATCH_SIZE` messages, and mark those that the broker confirmed. Returns how many were taken."""
        async with self._database.transaction() as transaction:
            rows = await transaction.fetch(_TAKE_NEWEST if newest_first else _TAKE_OLDEST)
            if not rows:
                return 0
            confirmed = await self._publisher.publish_all([as_outgoing(row) for row in rows])
            sent = [row for row, is_confirmed in zip(rows, confirmed, strict=True) if is_confirmed]
            await transaction.execute(
                _MARK_SENT, [row["id"] for row in sent], [row["created_at"] for row in sent], self._clock.now()
            )
        for row in sent:
            metrics.OUTBOX_SENT.labels(row["event_type"]).inc()
        if len(sent) < len(rows):
            log.warning("outbox.not_confirmed", messages=len(rows) - len(sent))
            await asyncio.sleep(0.5)  # the broker refuses or is gone: do not hammer it
        return len(rows)
