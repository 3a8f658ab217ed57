"""Apply verdicts and refund sums to many payments in one statement each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway_common.database import Database
from gateway_common.outbox.writing import OutgoingMessage, as_columns
from payments_api.domain.payment import Payment
from payments_api.repositories.rows import PAYMENT_COLUMNS, as_payment

_PENDING = f"""
SELECT {", ".join("p." + column.strip() for column in PAYMENT_COLUMNS.split(","))}
FROM payments p JOIN unnest($1::uuid[], $2::text[]) AS given (merchant_id, id) USING (merchant_id, id)
WHERE p.status = 'pending'
"""

# Rows are locked in one order by everyone (payments, orders, rollups, each by key), so that two batches cannot deadlock.
# The guard on the state makes a verdict that was applied meanwhile change nothing and send nothing.
_APPLY = """
WITH held AS (
    SELECT p.merchant_id, p.id
    FROM payments p JOIN unnest($1::uuid[], $2::text[]) AS given (merchant_id, id) USING (merchant_id, id)
    WHERE p.status = 'pending'
    ORDER BY p.merchant_id, p.id
    FOR UPDATE OF p
), changed AS (
    UPDATE payments p SET status = given.status, captured = given.captured,
        amount_captured = CASE WHEN given.captured THEN p.amount ELSE 0 END,
        captured_at = CASE WHEN given.captured THEN $9::timestamptz END,
        error_code = given.error_code, error_description = given.error_description, error_reason = given.error_reason,
        sequence = given.sequence, decided_at = $9, updated_at = $9, card_token = NULL
    FROM held, unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::text[], $6::text[], $7::text[], $8::integer[])
        AS given (merchant_id, id, status, captured, error_code, error_description, error_reason, sequence)
    WHERE held.merchant_id = p.merchant_id AND held.id = p.id AND given.merchant_id = p.merchant_id AND given.id = p.id
    RETURNING p.merchant_id, p.id, p.order_id, p.amount, p.status, p.created_at
), messages AS (
    INSERT INTO outbox (message_id, event_type, merchant_id, payload, request_id, traceparent, created_at)
    SELECT message.id, message.type, message.merchant_id, message.payload, message.request_id, message.traceparent,
        message.created_at
    FROM unnest($10::text[], $11::text[], $12::uuid[], $13::text[], $14::text[], $15::text[], $16::timestamptz[], $17::text[])
        WITH ORDINALITY AS message (id, type, merchant_id, payload, request_id, traceparent, created_at, payment_id, place)
    JOIN changed ON changed.merchant_id = message.merchant_id AND changed.id = message.payment_id
    ORDER BY message.place
), paid AS (
    SELECT merchant_id, order_id, sum(amount)::bigint AS amount FROM changed WHERE status = 'success' GROUP BY 1, 2
), held_orders AS (
    SELECT o.merchant_id, o.id, paid.amount
    FROM orders o JOIN paid ON paid.merchant_id = o.merchant_id AND paid.order_id = o.id
    ORDER BY o.merchant_id, o.id
    FOR UPDATE OF o
), orders_paid AS (
    UPDATE orders o SET amount_paid = o.amount_paid + held_orders.amount, status = 'paid', updated_at = $9
    FROM held_orders WHERE o.merchant_id = held_orders.merchant_id AND o.id = held_orders.id
), summed AS (
    INSERT INTO payment_rollups AS known (merchant_id, hour, success_count, failed_count, amount)
    SELECT merchant_id, date_trunc('hour', created_at, 'UTC'), count(*) FILTER (WHERE status = 'success'),
        count(*) FILTER (WHERE status = 'failed'), coalesce(sum(amount) FILTER (WHERE status = 'success'), 0)
    FROM changed GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (merchant_id, hour) DO UPDATE SET
        success_count = known.success_count + excluded.success_count,
        failed_count = known.failed_count + excluded.failed_count,
        amount = known.amount + excluded.amount
)
SELECT count(*) FROM changed
"""

# Only a newer version counts; the sum of refunds only ever comes from the refunds service.
_REFUNDED = """
WITH newest AS (
    SELECT DISTINCT ON (merchant_id, id) merchant_id, id, amount_refunded, version,
        max(sequence) OVER (PARTITION BY merchant_id, id) AS sequence
    FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::integer[], $5::integer[])
        AS given (merchant_id, id, amount_refunded, version, sequence)
    ORDER BY merchant_id, id, version DESC
), held AS (
    SELECT p.merchant_id, p.id, p.amount_refunded AS before FROM payments p JOIN newest USING (merchant_id, id)
    ORDER BY p.merchant_id, p.id
    FOR UPDATE OF p
), changed AS (
    UPDATE payments p SET
        amount_refunded = CASE WHEN newest.version > p.refund_version THEN newest.amount_refunded ELSE p.amount_refunded END,
        refund_version = greatest(p.refund_version, newest.version),
        sequence = greatest(p.sequence, newest.sequence),
        updated_at = CASE WHEN newest.version > p.refund_version THEN $6::timestamptz ELSE p.updated_at END
    FROM newest, held
    WHERE newest.merchant_id = p.merchant_id AND newest.id = p.id AND held.merchant_id = p.merchant_id AND held.id = p.id
    RETURNING p.merchant_id, p.created_at, p.amount_refunded - held.before AS difference
)
INSERT INTO payment_rollups AS known (merchant_id, hour, amount_refunded)
SELECT merchant_id, date_trunc('hour', created_at, 'UTC'), sum(difference)
FROM changed GROUP BY 1, 2 HAVING sum(difference) <> 0 ORDER BY 1, 2
ON CONFLICT (merchant_id, hour) DO UPDATE SET amount_refunded = known.amount_refunded + excluded.amount_refunded
"""


@dataclass(frozen=True, slots=True)
class Decided:
    """A payment with its verdict, and the events that tell of it."""

    payment: Payment
    events: tuple[OutgoingMessage, ...]


@dataclass(frozen=True, slots=True)
class RefundSum:
    merchant_id: UUID
    payment_id: str
    amount_refunded: int
    version: int
    sequence: int


async def pending_among(database: Database, ids: Sequence[tuple[UUID, str]]) -> dict[tuple[UUID, str], Payment]:
    """Those of the payments that still wait for a verdict."""
    rows = await database.fetch(
        _PENDING, [merchant_id for merchant_id, _ in ids], [payment_id for _, payment_id in ids]
    )
    return {(row["merchant_id"], row["id"]): as_payment(row) for row in rows}


async def apply(database: Database, decided: Sequence[Decided], now: datetime) -> int:
    """Write the verdicts with their events, the orders' paid amounts and the sums. Returns how many payments changed."""
    found = [one.payment for one in decided]
    events = [event for one in decided for event in one.events]
    changed: int = await database.fetch_value(
        _APPLY,
        [payment.merchant_id for payment in found],
        [payment.id for payment in found],
        [payment.status for payment in found],
        [payment.captured for payment in found],
        [payment.error_code for payment in found],
        [payment.error_description for payment in found],
        [payment.error_reason for payment in found],
        [payment.sequence for payment in found],
        now,
        *as_columns(events),
        [one.payment.id for one in decided for _ in one.events],
    )
    return changed


async def apply_refunds(database: Database, sums: Sequence[RefundSum], now: datetime) -> None:
    await database.execute(
        _REFUNDED,
        [one.merchant_id for one in sums],
        [one.payment_id for one in sums],
        [one.amount_refunded for one in sums],
        [one.version for one in sums],
        [one.sequence for one in sums],
        now,
    )
