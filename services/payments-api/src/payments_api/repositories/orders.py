"""Orders."""

from __future__ import annotations

import asyncpg

from gateway_common.database import Database
from gateway_common.idempotency import Fence
from payments_api.domain.payment import Order
from payments_api.repositories.rows import ORDER_COLUMNS, as_order

# The fence's insert fails the whole statement when the key is taken, so no order stays behind.
_INSERT = """
WITH made AS (
    INSERT INTO orders (merchant_id, id, amount, currency, receipt, notes, multiple_payments, is_ad_hoc, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, false, $8, $8)
)
INSERT INTO idempotency_keys (merchant_id, key, fingerprint, resource_id, created_at)
SELECT $1, $9::text, $10::bytea, $2, $8 WHERE $9 IS NOT NULL
"""
_FIND = f"SELECT {ORDER_COLUMNS} FROM orders WHERE merchant_id = $1 AND id = $2"
_FIND_PUBLIC = f"""
SELECT {", ".join("o." + column.strip() for column in ORDER_COLUMNS.split(","))}, m.name, m.allowed_frame_origins
FROM orders o JOIN merchants m ON m.id = o.merchant_id
WHERE o.id = $1 AND NOT o.is_ad_hoc
"""


async def insert(database: Database, order: Order, fence: Fence | None) -> bool:
    """False when the fence's key is taken."""
    try:
        await database.execute(
            _INSERT,
            order.merchant_id,
            order.id,
            order.amount,
            order.currency,
            order.receipt,
            order.notes,
            order.multiple_payments,
            order.created_at,
            None if fence is None else fence.key,
            None if fence is None else fence.fingerprint,
        )
    except asyncpg.UniqueViolationError:
        return False
    return True


async def find(database: Database, merchant_id: object, order_id: str) -> Order | None:
    row = await database.fetch_one(_FIND, merchant_id, order_id)
    return None if row is None else as_order(row)


async def find_public(database: Database, order_id: str) -> tuple[Order, str, list[str] | None] | None:
    """A registered order by its id alone, with the merchant's display name and the origins that may frame its checkout."""
    row = await database.fetch_one(_FIND_PUBLIC, order_id)
    if row is None:
        return None
    *order, name, origins = row.values()
    return Order(*order), name, origins
