"""Put overdue deliveries back into the queue: the rows are the truth, the broker's delay queues only the clock."""

from __future__ import annotations

from datetime import timedelta

from gateway_common.clock import Clock
from gateway_common.database import Database
from webhooks import metrics
from webhooks.delivery.wakeups import Wakeups
from webhooks.repositories.deliveries import Due

EVERY_SECONDS = 1.0
# A word that is on its way through the broker arrives well within this.
OVERDUE = timedelta(seconds=2)
# A delivery that was put back and still waits is in a queue somewhere, or behind its endpoint's cap.
PATIENCE = timedelta(seconds=30)
# Enough to start a lane: a word that was swept makes it pull for itself what else waits for its endpoint.
PER_ENDPOINT = 32

# The recursive part hops from endpoint to endpoint along the index of pending deliveries, however many each has.
_SWEEP = """
WITH RECURSIVE waiting AS (
    (SELECT endpoint_id FROM deliveries WHERE status = 'pending' ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.endpoint_id FROM deliveries d WHERE d.status = 'pending' AND d.endpoint_id > w.endpoint_id
            ORDER BY d.endpoint_id LIMIT 1)
    FROM waiting w WHERE w.endpoint_id IS NOT NULL
), overdue AS (
    SELECT o.* FROM waiting w CROSS JOIN LATERAL (
        SELECT merchant_id, created_at, id FROM deliveries d
        WHERE d.endpoint_id = w.endpoint_id AND d.status = 'pending' AND d.next_retry_at < $2
          AND (d.claimed_until IS NULL OR d.claimed_until < $1)
        ORDER BY d.next_retry_at LIMIT $4) o
)
UPDATE deliveries d SET woken_at = $1 FROM overdue o
WHERE d.merchant_id = o.merchant_id AND d.created_at = o.created_at AND d.id = o.id AND d.status = 'pending'
  AND (d.woken_at IS NULL OR d.woken_at < $3)
RETURNING d.merchant_id, d.id, d.endpoint_id, d.attempts + 1 AS attempt
"""


async def sweep(database: Database, wakeups: Wakeups, clock: Clock) -> int:
    """Returns how many were put back. Safe in several processes at once: a word too many finds nothing to claim."""
    now = clock.now()
    rows = await database.fetch(_SWEEP, now, now - OVERDUE, now - PATIENCE, PER_ENDPOINT)
    if rows:
        await wakeups.send([Due(**row) for row in rows], now, is_swept=True)
        metrics.SWEPT.inc(len(rows))
    return len(rows)
