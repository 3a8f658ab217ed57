"""Read stored events."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_

from gateway_common.database import Database, Row
from webhooks.tables import events

_ONE = """
SELECT id, type, created_at, payment_id, sequence, body FROM events WHERE merchant_id = $1 AND id = $2
"""


async def find(database: Database, merchant_id: UUID, event_id: str) -> Row | None:
    return await database.fetch_one(_ONE, merchant_id, event_id)


async def page(
    database: Database,
    merchant_id: UUID,
    *,
    limit: int,
    starting_after: str | None,
    event_type: str | None,
    payment_id: str | None,
    created_gte: datetime | None,
    created_lte: datetime | None,
) -> list[Row]:
    """Newest first; one more than `limit` tells that there are more. A cursor nobody knows gives an empty page."""
    columns = events.c
    query = (
        select(columns.id, columns.type, columns.created_at, columns.payment_id, columns.sequence, columns.body)
        .where(columns.merchant_id == merchant_id)
        .order_by(columns.created_at.desc(), columns.id.desc())
        .limit(limit + 1)
    )
    if starting_after is not None:
        cursor = await find(database, merchant_id, starting_after)
        if cursor is None:
            return []
        query = query.where(tuple_(columns.created_at, columns.id) < (cursor["created_at"], cursor["id"]))
    if event_type is not None:
        query = query.where(columns.type == event_type)
    if payment_id is not None:
        query = query.where(columns.payment_id == payment_id)
    if created_gte is not None:
        query = query.where(columns.created_at >= created_gte)
    if created_lte is not None:
        query = query.where(columns.created_at <= created_lte)
    return await database.select(query)
