"""What must hold of deliveries at any time (gateway_common.invariants)."""

from __future__ import annotations

from datetime import timedelta

from gateway_common.invariants import Invariant

OVERDUE_LIMIT = timedelta(minutes=5)

INVARIANTS = (
    # What waits for an endpoint that is down has no due time; a sweeper wakes what is due every few seconds.
    Invariant(
        "delivery_overdue",
        """
        SELECT d.id FROM deliveries d JOIN endpoints e ON e.merchant_id = d.merchant_id AND e.id = d.endpoint_id
        WHERE d.status = 'pending' AND d.next_retry_at < $1 AND e.is_enabled AND e.deleted_at IS NULL LIMIT 100
        """,
        OVERDUE_LIMIT,
    ),
)
