"""What must hold of what was asked of the acquirer, at any time (gateway_common.invariants)."""

from __future__ import annotations

from datetime import timedelta

from gateway_common.invariants import Invariant, outbox_age

UNKNOWN_LIMIT = timedelta(minutes=15)

INVARIANTS = (
    Invariant(
        "payment_charged_twice",
        """
        SELECT payment_id AS id FROM acquirer_operations WHERE kind = 'charge' AND outcome <> 'declined'
        GROUP BY merchant_id, payment_id HAVING count(*) > 1 LIMIT 100
        """,
    ),
    Invariant(
        "outcome_unknown_too_long",
        "SELECT reference AS id FROM acquirer_operations WHERE outcome = 'unknown' AND asked_at < $1 LIMIT 100",
        UNKNOWN_LIMIT,
    ),
    outbox_age(),
)
