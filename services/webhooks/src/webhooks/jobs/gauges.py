"""Metrics that are read from the tables and the broker rather than counted."""

from __future__ import annotations

from gateway_common.broker.publisher import Publisher
from gateway_common.broker.topology import WEBHOOKS_DELIVER, WEBHOOKS_PLAN
from gateway_common.clock import Clock
from gateway_common.database import Database
from gateway_common.errors import BrokerUnavailableError
from webhooks import metrics
from webhooks.domain.breaker import BreakerState
from webhooks.domain.states import DeliveryStatus
from webhooks.repositories import health

EVERY_SECONDS = 10.0

# Along the index of pending deliveries, one look per endpoint.
_OLDEST_DUE = """
WITH RECURSIVE waiting AS (
    (SELECT endpoint_id FROM deliveries WHERE status = 'pending' ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.endpoint_id FROM deliveries d WHERE d.status = 'pending' AND d.endpoint_id > w.endpoint_id
            ORDER BY d.endpoint_id LIMIT 1)
    FROM waiting w WHERE w.endpoint_id IS NOT NULL
)
SELECT min((SELECT min(d.next_retry_at) FROM deliveries d
            WHERE d.endpoint_id = w.endpoint_id AND d.status = 'pending')) FROM waiting w
"""
_BY_STATUS = """
SELECT status, sum(count)::bigint AS count FROM (
    SELECT status, count FROM delivery_counts UNION ALL SELECT status, change FROM delivery_count_changes) AS counted
GROUP BY status
"""


async def measure(database: Database, publisher: Publisher, clock: Clock) -> None:
    oldest = await database.fetch_value(_OLDEST_DUE)
    overdue = 0.0 if oldest is None else (clock.now() - oldest).total_seconds()
    metrics.OLDEST_DUE_SECONDS.set(max(0.0, overdue))
    by_status = {row["status"]: row["count"] for row in await database.fetch(_BY_STATUS)}
    for status in DeliveryStatus:
        metrics.DELIVERIES.labels(status).set(by_status.get(status, 0))
    by_state = await health.count_by_state(database)
    for state in BreakerState:
        metrics.BREAKERS.labels(state).set(by_state.get(state, 0))
    for queue in (WEBHOOKS_PLAN, WEBHOOKS_DELIVER):
        try:
            depth = await publisher.message_count(queue.parked_name)
        except BrokerUnavailableError:
            return
        metrics.PARKED_DEPTH.labels(queue.name).set(depth or 0)
