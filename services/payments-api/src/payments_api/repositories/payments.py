"""Single payments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gateway_common.database import Connection, Database, Row
from payments_api.domain.payment import Payment
from payments_api.repositories.rows import PAYMENT_COLUMNS, as_payment

_FIND = f"SELECT {PAYMENT_COLUMNS} FROM payments WHERE merchant_id = $1 AND id = $2"
_LOCK = _FIND + " FOR UPDATE"
_FIND_PUBLIC = f"SELECT {PAYMENT_COLUMNS} FROM payments WHERE id = $1"
_DECIDED = "SELECT id FROM payments WHERE id = ANY($1::text[]) AND status <> 'pending'"
_HISTORY = """
SELECT status, method, amount, currency, amount_captured, request_id, error_reason, error_description, created_at,
    decided_at, captured_at, capture_request_id, cancelled_at, cancel_request_id
FROM payments WHERE merchant_id = $1 AND id = $2
"""
_CAPTURE = f"""
UPDATE payments SET captured = true, amount_captured = $3, refund_limit = $4, captured_at = $5,
    updated_at = $5, capture_request_id = $6, sequence = sequence + 1
WHERE merchant_id = $1 AND id = $2
RETURNING {PAYMENT_COLUMNS}
"""
_CANCEL = f"""
UPDATE payments SET status = 'cancelled', cancelled_at = $3, updated_at = $3, cancel_request_id = $4,
    sequence = sequence + 1
WHERE merchant_id = $1 AND id = $2
RETURNING {PAYMENT_COLUMNS}
"""


async def find(database: Database, merchant_id: UUID, payment_id: str) -> Payment | None:
    row = await database.fetch_one(_FIND, merchant_id, payment_id)
    return None if row is None else as_payment(row)


async def find_public(database: Database, payment_id: str) -> Payment | None:
    """By its id alone, for a shopper's browser."""
    row = await database.fetch_one(_FIND_PUBLIC, payment_id)
    return None if row is None else as_payment(row)


async def decided_among(database: Database, payment_ids: Sequence[str]) -> set[str]:
    """Those of `payment_ids` that are no longer pending."""
    return {row["id"] for row in await database.fetch(_DECIDED, list(payment_ids))}


async def history(database: Database, merchant_id: UUID, payment_id: str) -> Row | None:
    """What the timeline tells of this service's part."""
    return await database.fetch_one(_HISTORY, merchant_id, payment_id)


async def lock(transaction: Connection, merchant_id: UUID, payment_id: str) -> Payment | None:
    """The payment, held against every other change until the transaction ends."""
    row = await transaction.fetchrow(_LOCK, merchant_id, payment_id)
    return None if row is None else as_payment(row)


async def mark_captured(
    transaction: Connection, payment: Payment, amount: int, refund_limit: int, now: datetime, request_id: str
) -> Payment:
    row = await transaction.fetchrow(_CAPTURE, payment.merchant_id, payment.id, amount, refund_limit, now, request_id)
    assert row is not None, "the caller holds the row"
    return as_payment(row)


async def mark_cancelled(transaction: Connection, payment: Payment, now: datetime, request_id: str) -> Payment:
    row = await transaction.fetchrow(_CANCEL, payment.merchant_id, payment.id, now, request_id)
    assert row is not None, "the caller holds the row"
    return as_payment(row)
