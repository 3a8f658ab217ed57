"""SQL of balances and refunds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, tuple_

from gateway_common.database import Connection, Database, Row
from gateway_common.errors import ValidationError
from gateway_common.ids import has_shape
from refunds import tables
from refunds.domain.balance import Balance, Settlement
from refunds.domain.refunds import Refund
from refunds.domain.states import RefundStatus

# What is heard later may be older: only growing things grow, and the first settlement stays.
_HEAR_OF = """
INSERT INTO balances AS known (merchant_id, payment_id, amount, currency, sequence, settlement, amount_captured)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::bigint[])
    AS heard (merchant_id, payment_id, amount, currency, sequence, settlement, amount_captured)
ORDER BY merchant_id, payment_id
ON CONFLICT (merchant_id, payment_id) DO UPDATE
    SET sequence = greatest(known.sequence, excluded.sequence),
        settlement = coalesce(known.settlement, excluded.settlement),
        amount_captured = CASE WHEN known.settlement IS NULL THEN excluded.amount_captured ELSE known.amount_captured END
    WHERE known.sequence < excluded.sequence OR (known.settlement IS NULL AND excluded.settlement IS NOT NULL)
"""
_IS_KNOWN = "SELECT true FROM balances WHERE merchant_id = $1 AND payment_id = $2"
_LOCK = "SELECT * FROM balances WHERE merchant_id = $1 AND payment_id = $2 FOR UPDATE"
_LOCK_MANY = """
SELECT balances.* FROM balances
JOIN (SELECT DISTINCT * FROM unnest($1::uuid[], $2::text[]) AS asked (merchant_id, payment_id)) AS asked
    USING (merchant_id, payment_id)
ORDER BY merchant_id, payment_id FOR UPDATE OF balances
"""
_SAVE = """
UPDATE balances SET sequence = s, settlement = st, amount_captured = c, amount_pending = p, amount_refunded = r,
    amount_released = l, version = v
FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::int[])
    AS new (m, id, s, st, c, p, r, l, v)
WHERE merchant_id = m AND payment_id = id
"""
_ADD = """
INSERT INTO refunds (merchant_id, id, payment_id, amount, currency, reason, notes, status, is_release, created_at,
    requested_at, request_message_id, request_id, traceparent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now(), $11, $12, $13)
"""
_PENDING = """
SELECT refunds.* FROM refunds JOIN unnest($1::uuid[], $2::text[]) AS asked (merchant_id, id) USING (merchant_id, id)
WHERE status = 'pending' ORDER BY merchant_id, id FOR UPDATE OF refunds
"""
_FINISH = """
UPDATE refunds SET status = st, processed_at = p, failed_at = f, error_reason = er, error_description = ed
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[])
    AS new (m, i, st, p, f, er, ed)
WHERE merchant_id = m AND id = i
"""
# By the database's clock: one clock for all processes, whatever theirs say.
_CLAIM_OVERDUE = """
UPDATE refunds SET requested_at = now() WHERE (merchant_id, id) IN (
    SELECT merchant_id, id FROM refunds WHERE status = 'pending' AND requested_at < now() - $1::interval
    ORDER BY requested_at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING *
"""
_OLDEST_PENDING = "SELECT min(created_at) FROM refunds WHERE status = 'pending'"
_GET = "SELECT * FROM refunds WHERE merchant_id = $1 AND id = $2"
_OF_PAYMENT = "SELECT * FROM refunds WHERE merchant_id = $1 AND payment_id = $2 ORDER BY created_at, id"


async def hear_of(database: Database, balances: Sequence[Balance]) -> None:
    """Learn of payments from events or from payments-api. A payment may be in `balances` once. Safe to repeat, in any order."""
    rows = (
        (b.merchant_id, b.payment_id, b.amount, b.currency, b.sequence, b.settlement, b.amount_captured)
        for b in balances
    )
    await database.execute(_HEAR_OF, *zip(*rows, strict=True))


async def is_known(database: Database, merchant_id: UUID, payment_id: str) -> bool:
    return await database.fetch_value(_IS_KNOWN, merchant_id, payment_id) is not None


async def lock_balance(transaction: Connection, merchant_id: UUID, payment_id: str) -> Balance | None:
    """Everyone else who wants to change it waits until the transaction ends."""
    row = await transaction.fetchrow(_LOCK, merchant_id, payment_id)
    return None if row is None else _as_balance(row)


async def lock_balances(transaction: Connection, payments: Sequence[tuple[UUID, str]]) -> list[Balance]:
    """In one order for all, so that two batches cannot deadlock."""
    rows = await transaction.fetch(_LOCK_MANY, [m for m, _ in payments], [p for _, p in payments])
    return [_as_balance(row) for row in rows]


async def save_balances(transaction: Connection, balances: Sequence[Balance]) -> None:
    rows = (
        (
            b.merchant_id,
            b.payment_id,
            b.sequence,
            b.settlement,
            b.amount_captured,
            b.amount_pending,
            b.amount_refunded,
            b.amount_released,
            b.version,
        )
        for b in balances
    )
    await transaction.execute(_SAVE, *zip(*rows, strict=True))


async def add_refund(transaction: Connection, refund: Refund) -> None:
    await transaction.execute(
        _ADD,
        refund.merchant_id,
        refund.id,
        refund.payment_id,
        refund.amount,
        refund.currency,
        refund.reason,
        None if refund.notes is None else orjson.dumps(refund.notes).decode(),
        refund.status,
        refund.is_release,
        refund.created_at,
        refund.request_message_id,
        refund.request_id,
        refund.traceparent,
    )


async def lock_pending(transaction: Connection, keys: Sequence[tuple[UUID, str]]) -> list[Refund]:
    """Those of `keys` (merchant and refund id) that still wait for the bank."""
    rows = await transaction.fetch(_PENDING, [m for m, _ in keys], [i for _, i in keys])
    return [_as_refund(row) for row in rows]


async def finish_refunds(transaction: Connection, refunds: Sequence[Refund]) -> None:
    rows = (
        (r.merchant_id, r.id, r.status, r.processed_at, r.failed_at, r.error_reason, r.error_description)
        for r in refunds
    )
    await transaction.execute(_FINISH, *zip(*rows, strict=True))


async def claim_overdue(transaction: Connection, older_than: timedelta, limit: int) -> list[Refund]:
    """Pending refunds that the processor was last asked for that long ago; they count as asked for again now."""
    rows = await transaction.fetch(_CLAIM_OVERDUE, older_than, limit)
    return [_as_refund(row) for row in rows]


async def oldest_pending(database: Database) -> datetime | None:
    found: datetime | None = await database.fetch_value(_OLDEST_PENDING)
    return found


async def find(database: Database, merchant_id: UUID, refund_id: str) -> Refund | None:
    row = await database.fetch_one(_GET, merchant_id, refund_id)
    return None if row is None else _as_refund(row)


async def of_payment(database: Database, merchant_id: UUID, payment_id: str) -> list[Refund]:
    """Oldest first."""
    return [_as_refund(row) for row in await database.fetch(_OF_PAYMENT, merchant_id, payment_id)]


async def newest(
    database: Database,
    merchant_id: UUID,
    *,
    limit: int,
    starting_after: str | None = None,
    payment_id: str | None = None,
    status: RefundStatus | None = None,
    created_gte: datetime | None = None,
    created_lte: datetime | None = None,
) -> list[Refund]:
    """Newest first; every filter is backed by an index, so the cost does not grow with the table.

    Raises:
        ValidationError: `starting_after` is no refund of this merchant.
    """
    table = tables.refunds.c
    statement = select(tables.refunds).where(table.merchant_id == merchant_id)
    if starting_after is not None:
        last = await find(database, merchant_id, starting_after) if has_shape(starting_after, "rfnd_") else None
        if last is None:
            raise ValidationError(
                "starting_after must be the id of one of your refunds", field="starting_after", reason="unknown_cursor"
            )
        statement = statement.where(tuple_(table.created_at, table.id) < (last.created_at, last.id))
    if payment_id is not None:
        statement = statement.where(table.payment_id == payment_id)
    if status is not None:
        statement = statement.where(table.status == status)
    if created_gte is not None:
        statement = statement.where(table.created_at >= created_gte)
    if created_lte is not None:
        statement = statement.where(table.created_at <= created_lte)
    statement = statement.order_by(table.created_at.desc(), table.id.desc()).limit(limit)
    return [_as_refund(row) for row in await database.select(statement)]


def _as_balance(row: Row) -> Balance:
    fields: dict[str, Any] = dict(row)
    fields["settlement"] = None if row["settlement"] is None else Settlement(row["settlement"])
    return Balance(**fields)


def _as_refund(row: Row) -> Refund:
    return Refund(
        row["id"],
        row["merchant_id"],
        row["payment_id"],
        row["amount"],
        row["currency"],
        row["reason"],
        None if row["notes"] is None else orjson.loads(row["notes"]),
        RefundStatus(row["status"]),
        row["is_release"],
        row["created_at"],
        row["processed_at"],
        row["failed_at"],
        row["error_reason"],
        row["error_description"],
        row["request_id"],
        row["traceparent"],
        row["request_message_id"],
    )
