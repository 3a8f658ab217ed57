"""What must hold of refunds at any time (gateway_common.invariants)."""

from __future__ import annotations

from datetime import timedelta

from gateway_common.invariants import Invariant, outbox_age

PENDING_LIMIT = timedelta(minutes=15)

INVARIANTS = (
    Invariant(
        "refund_pending_too_long",
        "SELECT id FROM refunds WHERE status = 'pending' AND created_at < $1 LIMIT 100",
        PENDING_LIMIT,
    ),
    Invariant(
        "refunds_beyond_payment",
        """
        SELECT payment_id AS id FROM balances
        WHERE amount_pending + amount_refunded > amount
            OR (settlement = 'capture' AND amount_pending + amount_refunded > amount_captured + amount_released)
        LIMIT 100
        """,
    ),
    Invariant(
        # Two ways of counting the same money: the running balance, and the refunds themselves.
        "refund_balance_is_not_the_sum",
        """
        SELECT b.payment_id AS id FROM balances b
        JOIN (
            SELECT merchant_id, payment_id, sum(amount) FILTER (WHERE status = 'pending') AS pending,
                sum(amount) FILTER (WHERE status = 'processed') AS processed
            FROM refunds GROUP BY merchant_id, payment_id
        ) AS r USING (merchant_id, payment_id)
        WHERE b.amount_pending <> coalesce(r.pending, 0) OR b.amount_refunded <> coalesce(r.processed, 0)
        LIMIT 100
        """,
    ),
    outbox_age(),
)
