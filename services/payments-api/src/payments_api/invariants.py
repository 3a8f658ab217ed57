"""What must hold of payments at any time (gateway_common.invariants)."""

from __future__ import annotations

from datetime import timedelta

from gateway_common.invariants import Invariant, outbox_age

# Ten minutes after the last inquiry an unanswered charge is given up; what is pending for longer is stuck.
PENDING_LIMIT = timedelta(minutes=15)

INVARIANTS = (
    Invariant(
        "payment_pending_too_long",
        "SELECT id FROM payments WHERE status = 'pending' AND created_at < $1 LIMIT 100",
        PENDING_LIMIT,
    ),
    Invariant(
        "payment_refunded_beyond_amount",
        "SELECT id FROM payments WHERE amount_refunded > amount OR amount_captured > amount LIMIT 100",
    ),
    outbox_age(),
)
