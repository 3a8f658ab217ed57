"""Accept a payment: one data-modifying statement in autocommit, one round trip.

It looks the order up (or registers an ad-hoc one), inserts the payment, its fence and its two outbox rows. No lock on
the order, so that one busy order serialises nothing; that an order takes one payment is held by the partial unique
index `payments_one_per_order`. When it makes nothing, `explain` asks why.
"""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from gateway_common import context
from gateway_common.database import Database
from gateway_common.idempotency import Fence
from gateway_common.ids import EventId, new_event_id
from payments_api.domain.payment import Payment
from payments_api.rendering import event_with_blanks

# $4, $5: the amount and currency that the caller named, NULL when the order decides. $20: whether the caller may
# register an ad-hoc order (checkout may not).
_ACCEPT = """
WITH registered AS (
    SELECT amount, currency, multiple_payments FROM orders WHERE merchant_id = $1 AND id = $3
), ad_hoc AS (
    INSERT INTO orders (merchant_id, id, amount, currency, multiple_payments, is_ad_hoc, created_at, updated_at)
    SELECT $1, $3, $4::bigint, coalesce($5, 'INR'), true, true, $12::timestamptz, $12
    WHERE $20::boolean AND $4 IS NOT NULL AND NOT EXISTS (SELECT FROM registered)
    ON CONFLICT DO NOTHING
    RETURNING amount, currency, multiple_payments
), target AS (
    SELECT * FROM registered WHERE amount = coalesce($4, amount) AND currency = coalesce($5::text, currency)
    UNION ALL
    SELECT * FROM ad_hoc
), payment AS (
    INSERT INTO payments (merchant_id, id, order_id, amount, currency, method, vpa, card_network, card_last4,
        capture_mode, notes, is_exclusive, card_token, created_message_id, request_id, traceparent, created_at, updated_at)
    SELECT $1, $2, $3, amount, currency, $6, $7, $8, $9, $10, $11, NOT multiple_payments, $13, ($16::text[])[1], $14,
        $15, $12, $12
    FROM target
    ON CONFLICT DO NOTHING
    RETURNING amount, currency
), fence AS (
    INSERT INTO idempotency_keys (merchant_id, key, fingerprint, resource_id, created_at)
    SELECT $1, $18::text, $19::bytea, $2, $12 FROM payment WHERE $18 IS NOT NULL
), messages AS (
    INSERT INTO outbox (message_id, event_type, merchant_id, payload, request_id, traceparent, created_at)
    SELECT message.id, message.type, $1,
        message.before || payment.amount || ',"currency":"' || payment.currency || '"' || message.after, $14, $15, $12
    FROM payment, unnest($16::text[], ARRAY['payment.created', 'payment.pending'], $17::text[], $21::text[])
        AS message (id, type, before, after)
)
SELECT amount, currency FROM payment
"""

# Why nothing was made, as of now.
_EXPLAIN = """
SELECT o.amount, o.currency, o.multiple_payments, p.status
FROM orders o
LEFT JOIN payments p ON p.merchant_id = o.merchant_id AND p.order_id = o.id
    AND p.is_exclusive AND p.status IN ('pending', 'success')
WHERE o.merchant_id = $1 AND o.id = $2
"""


@dataclass(frozen=True, slots=True)
class Accepted:
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class OrderNow:
    """`holder` is the status of the payment that holds an order which takes one payment."""

    amount: int
    currency: str
    holder: str | None


async def accept(
    database: Database,
    payment: Payment,
    *,
    named_amount: int | None,
    named_currency: str | None,
    may_register_order: bool,
    card_token: str | None,
    fence: Fence | None,
) -> Accepted | None:
    """Returns the order's amount and currency, or None when nothing was made (then nothing was changed either)."""
    now = payment.created_at
    before_created, after_created = event_with_blanks(payment, 1, now, card_token=card_token)
    before_pending, after_pending = event_with_blanks(payment, 2, now)
    message_ids: list[EventId] = [new_event_id(), new_event_id()]
    try:
        row = await database.fetch_one(
            _ACCEPT,
            payment.merchant_id,
            payment.id,
            payment.order_id,
            named_amount,
            named_currency,
            payment.method,
            payment.vpa,
            payment.card_network,
            payment.card_last4,
            payment.capture_mode,
            payment.notes,
            now,
            card_token,
            context.request_id.get(),
            context.traceparent.get(),
            message_ids,
            [before_created, before_pending],
            None if fence is None else fence.key,
            None if fence is None else fence.fingerprint,
            may_register_order,
            [after_created, after_pending],
        )
    except asyncpg.UniqueViolationError:
        return None  # the fence: this key has made a payment already
    return None if row is None else Accepted(row["amount"], row["currency"])


async def explain(database: Database, merchant_id: object, order_id: str) -> OrderNow | None:
    """The order as it is now; None when there is none."""
    row = await database.fetch_one(_EXPLAIN, merchant_id, order_id)
    return None if row is None else OrderNow(row["amount"], row["currency"], row["status"])
