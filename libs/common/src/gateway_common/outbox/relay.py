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

_TAKE = f"""
SELECT id, created_at, message_id, event_type, payload, request_id, traceparent
FROM outbox WHERE sent_at IS NULL AND id > $1 ORDER BY id LIMIT {BATCH_SIZE} FOR UPDATE SKIP LOCKED
"""
_MARK_SENT = """
UPDATE outbox SET sent_at = $3
FROM unnest($1::bigint[], $2::timestamptz[]) AS sent (id, created_at)
WHERE outbox.id = sent.id AND outbox.created_at = sent.created_at
"""
_LAST_SENT = "SELECT id FROM outbox WHERE sent_at IS NOT NULL ORDER BY id DESC LIMIT 1"
_SEND_AGAIN = "UPDATE outbox SET sent_at = NULL WHERE sent_at >= $1"
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
        # While a day's messages are sent again, those behind this id are new and go first. 0: nothing is sent again.
        self._new_after_id = 0

    async def run(self) -> None:
        while True:
            taken = await self.send_batch(self._new_after_id)
            if taken < BATCH_SIZE and self._new_after_id:
                taken = await self.send_batch()
                if taken < BATCH_SIZE:
                    self._new_after_id = 0
            if taken < BATCH_SIZE:
                await self._listener.wait(POLL_SECONDS)

    async def send_batch(self, after_id: int = 0) -> int:
        """Publish up to `BATCH_SIZE` messages behind `after_id`, and mark those that the broker confirmed.

        Returns how many were taken.
        """
        async with self._database.transaction() as transaction:
            rows = await transaction.fetch(_TAKE, after_id)
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
            last_sent = await transaction.fetchval(_LAST_SENT)
            tag = await transaction.execute(_SEND_AGAIN, since, timeout=60)
        self._new_after_id = max(self._new_after_id, last_sent or 0)
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
