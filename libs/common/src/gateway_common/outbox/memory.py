"""Notice that the broker has lost its memory, and send it again what it was given.

A service keeps one marker message in a queue of its own. When the marker is gone, so is all else the broker had. From
then on the outbox is walked from the newest message back, a batch at a time: what was lost was nearly always sent in the
broker's last moments, and consumers, whose inboxes absorb the repeats, are not flooded with those of a whole day.
"""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from gateway_common import metrics
from gateway_common.broker.batches import Outgoing
from gateway_common.broker.publisher import Publisher
from gateway_common.broker.topology import MARKER_QUEUES, Exchange
from gateway_common.clock import Clock
from gateway_common.database import Connection, Database, Row
from gateway_common.errors import BrokerUnavailableError
from gateway_common.ids import new_event_id
from gateway_common.logs import get_logger
from gateway_common.outbox.messages import MESSAGE_COLUMNS, as_outgoing

log = get_logger(__name__)

CHECK_SECONDS = 3.0
RETENTION_DAYS = 1
BATCH_SIZE = 300
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 1.0
"""Between two batches: short for the newest, which were most likely lost, longer by and by, so that the repeats of a whole
day take little of what new messages need."""
SHORTEST_SPAN = timedelta(seconds=1)
LONGEST_SPAN = timedelta(hours=1)

_OLDEST_UNSENT = "SELECT min(created_at) FROM outbox WHERE sent_at IS NULL"
_BEGIN = """
INSERT INTO outbox_repeat (since) VALUES ($1)
ON CONFLICT (only_row) DO UPDATE SET since = excluded.since, before_at = NULL, before_id = NULL
"""
_LEASE = "SELECT since, before_at, before_id FROM outbox_repeat FOR UPDATE SKIP LOCKED"
_ADVANCE = "UPDATE outbox_repeat SET before_at = $1, before_id = $2"
_END = "DELETE FROM outbox_repeat"
# Unsent ones too: they may be those of a batch that the broker confirmed before it was emptied, and whose mark is about to
# be committed. `created_at <=` says what the comparison of pairs says already, in words that the BRIN index understands.
_NEXT = f"""
SELECT {MESSAGE_COLUMNS} FROM outbox
WHERE created_at >= $1 AND created_at <= coalesce($2, 'infinity'::timestamptz)
    AND (created_at, id) < (coalesce($2, 'infinity'::timestamptz), coalesce($3, 9223372036854775807))
ORDER BY created_at DESC, id DESC LIMIT {BATCH_SIZE}
"""
_LEAVE_TO_RELAY = """
UPDATE outbox SET sent_at = NULL
FROM unnest($1::bigint[], $2::timestamptz[]) AS refused (id, created_at)
WHERE outbox.id = refused.id AND outbox.created_at = refused.created_at
"""


class BrokerMemory:
    """Background task `watch`; several copies may run, one at a time sends. How far it came is in `outbox_repeat`."""

    def __init__(self, database: Database, publisher: Publisher, exchange: Exchange, clock: Clock) -> None:
        self._database = database
        self._publisher = publisher
        self._marker = MARKER_QUEUES[exchange]
        self._clock = clock
        self._span = SHORTEST_SPAN
        self._pause = LONGEST_PAUSE_SECONDS

    async def watch(self) -> None:
        while True:
            try:
                await self.check()
                metrics.BROKER_MEMORY_CHECKED.set_to_current_time()
            except BrokerUnavailableError:
                log.warning("broker.unreachable")
            oldest = await self._database.fetch_value(_OLDEST_UNSENT)
            metrics.OUTBOX_LAG_SECONDS.set(0 if oldest is None else (self._clock.now() - oldest).total_seconds())
            next_check = time.monotonic() + CHECK_SECONDS
            while (left := next_check - time.monotonic()) > 0:
                taken = await self.repeat_batch()
                # A span without messages costs nobody anything: go on to the next one.
                await asyncio.sleep(left if taken is None else min(left, self._pause) if taken else 0)
                self._pause = min(1.2 * self._pause, LONGEST_PAUSE_SECONDS)

    async def check(self) -> bool:
        """Returns whether the broker had lost its memory; then everything of the last day is due again, newest first."""
        if await self._publisher.message_count(self._marker.name) != 0:
            return False
        since = self._clock.now() - timedelta(days=RETENTION_DAYS)
        async with self._database.transaction() as transaction:
            # One copy at a time: a second one would find the marker already placed.
            await transaction.execute("SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.outbox.marker'))")
            if await self._publisher.message_count(self._marker.name) != 0:
                return False
            await transaction.execute(_BEGIN, since)
        # Only now, after the commit: a marker placed by a process that then dies would hide the loss for ever.
        await self._publisher.publish(
            Outgoing(self._marker.bindings[0].routing_key, b"{}", new_event_id(), self._clock.now())
        )
        self._span, self._pause = SHORTEST_SPAN, FIRST_PAUSE_SECONDS
        log.warning("broker.memory_lost", sending_again_since=since.isoformat())
        return True

    async def repeat_batch(self) -> int | None:
        """Publish the next older messages. Returns how many; None when nothing can be done now: nothing is due, another copy
        is at it, or the broker takes nothing.

        The row of `outbox_repeat` is locked meanwhile: the lock is the lease. A crash repeats one batch.
        """
        async with self._database.transaction() as transaction:
            due = await transaction.fetchrow(_LEASE)
            if due is None:
                return None
            before = due["before_at"] or self._clock.now()
            oldest = max(before - self._span, due["since"])
            rows = await transaction.fetch(_NEXT, oldest, due["before_at"], due["before_id"])
            if rows and not await self._publish(transaction, rows):
                return None
            if len(rows) == BATCH_SIZE:
                last = rows[-1]
                await transaction.execute(_ADVANCE, last["created_at"], last["id"])
                self._span = max(SHORTEST_SPAN, before - last["created_at"])
            elif oldest > due["since"]:
                await transaction.execute(_ADVANCE, oldest, 0)
                self._span = min(2 * self._span, LONGEST_SPAN)
            else:
                await transaction.execute(_END)
                log.info("broker.memory_restored", since=due["since"].isoformat())
        return len(rows)

    async def _publish(self, transaction: Connection, rows: list[Row]) -> bool:
        """Returns whether the broker takes messages; those it refused singly are the relay's, which tries until it does."""
        confirmed = await self._publisher.publish_all([as_outgoing(row) for row in rows])
        refused = [row for row, is_confirmed in zip(rows, confirmed, strict=True) if not is_confirmed]
        metrics.OUTBOX_REPUBLISHED.inc(len(rows) - len(refused))
        if not refused:
            return True
        log.warning("outbox.repeat_not_confirmed", messages=len(refused))
        if len(refused) == len(rows):
            return False
        await transaction.execute(
            _LEAVE_TO_RELAY, [row["id"] for row in refused], [row["created_at"] for row in refused]
        )
        return True
