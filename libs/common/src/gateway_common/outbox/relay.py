"""The relay: moves the outbox to the broker, and notices when the broker has lost its memory."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from gateway_common import metrics
from gateway_common.broker.batches import Outgoing
from gateway_common.broker.publisher import Publisher
from gateway_common.broker.topology import MARKER_QUEUES, Exchange
from gateway_common.clock import Clock
from gateway_common.database import Database, Row
from gateway_common.errors import BrokerUnavailableError
from gateway_common.ids import new_event_id
from gateway_common.logs import get_logger
from gateway_common.outbox.nudge import OutboxListener

log = get_logger(__name__)

BATCH_SIZE = 300
POLL_SECONDS = 1.0
MARKER_CHECK_SECONDS = 3.0
RETENTION_DAYS = 1

_TAKE = """
SELECT id, created_at, message_id, event_type, payload, request_id, traceparent
FROM outbox WHERE sent_at IS NULL ORDER BY id {order} LIMIT {limit} FOR UPDATE SKIP LOCKED
"""
_TAKE_OLDEST = _TAKE.format(order="ASC", limit=BATCH_SIZE)
_TAKE_NEWEST = _TAKE.format(order="DESC", limit=BATCH_SIZE)
_MARK_SENT = """
UPDATE outbox SET sent_at = $3
FROM unnest($1::bigint[], $2::timestamptz[]) AS sent (id, created_at)
WHERE outbox.id = sent.id AND outbox.created_at = sent.created_at AND sent_at IS NULL
"""
# Unsent ones too: they may be those of a batch that the broker confirmed before it was emptied, and whose mark is about to be
# committed. The update waits for it; with `sent_at >= $1` alone it would pass them by, and they would be lost.
_SEND_AGAIN = "UPDATE outbox SET sent_at = NULL WHERE sent_at IS NULL OR sent_at >= $1"
_OLDEST = "SELECT min(created_at) FROM outbox WHERE sent_at IS NULL"


class Relay:
    """Background tasks `run` and `watch_broker_memory`; several copies may run, each takes other rows.

    A batch is published while its rows are locked: the lock is the lease, and a relay that dies lets go of it at once.
    It is the one place where a transaction waits for something other than SQL, bounded by the confirm timeout.
    """

    def __init__(
        self, database: Database, publisher: Publisher, exchange: Exchange, listener: OutboxListener, clock: Clock
    ) -> None:
        self._database = database
        self._publisher = publisher
        self._exchange = exchange
        self._marker = MARKER_QUEUES[exchange]
        self._listener = listener
        self._clock = clock

    async def run(self) -> None:
        while True:
            taken = await self.send_batch()
            if taken == BATCH_SIZE:
                # Behind a backlog (the broker was away, or a day is sent again) nobody who pays now should wait. The newest
                # are also those that an emptied broker had most likely not handed over yet.
                taken = await self.send_batch(newest_first=True)
            if taken < BATCH_SIZE:
                await self._listener.wait(POLL_SECONDS)

    async def send_batch(self, *, newest_first: bool = False) -> int:
        """Publish up to `BATCH_SIZE` messages, and mark those that the broker confirmed. Returns how many were taken."""
        async with self._database.transaction() as transaction:
            rows = await transaction.fetch(_TAKE_NEWEST if newest_first else _TAKE_OLDEST)
            if not rows:
                return 0
            confirmed = await self._publisher.publish_all([_as_outgoing(row) for row in rows])
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

    async def watch_broker_memory(self) -> None:
        """Keep one marker message in a queue of our own; when it is gone, so is all that the broker had: send it again."""
        while True:
            try:
                await self.restore_broker_memory()
                metrics.BROKER_MEMORY_CHECKED.set_to_current_time()
            except BrokerUnavailableError:
                log.warning("broker.unreachable")
            oldest = await self._database.fetch_value(_OLDEST)
            metrics.OUTBOX_LAG_SECONDS.set(0 if oldest is None else (self._clock.now() - oldest).total_seconds())
            await asyncio.sleep(MARKER_CHECK_SECONDS)

    async def restore_broker_memory(self) -> bool:
        """Returns whether the broker had lost its memory. A crash half way repeats the whole, which inboxes absorb."""
        if await self._publisher.message_count(self._marker.name) != 0:
            return False
        since = self._clock.now() - timedelta(days=RETENTION_DAYS)
        async with self._database.transaction() as transaction:
            # One relay at a time: a second one would find the marker already placed.
            await transaction.execute("SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.outbox.marker'))")
            if await self._publisher.message_count(self._marker.name) != 0:
                return False
            tag = await transaction.execute(_SEND_AGAIN, since, timeout=60)
        # Only now, after the commit: a marker placed by a relay that then dies would hide the loss for ever.
        await self._publisher.publish(
            Outgoing(self._marker.bindings[0].routing_key, b"{}", new_event_id(), self._clock.now())
        )
        count = int(tag.split()[-1])
        metrics.OUTBOX_REPUBLISHED.inc(count)
        log.warning("broker.memory_lost", messages_sent_again=count)
        return True


def _as_outgoing(row: Row) -> Outgoing:
    headers: dict[str, str | int] = {}
    if row["request_id"]:
        headers["x-request-id"] = row["request_id"]
    if row["traceparent"]:
        headers["traceparent"] = row["traceparent"]
    return Outgoing(row["event_type"], row["payload"].encode(), row["message_id"], row["created_at"], headers)
