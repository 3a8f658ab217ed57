"""Bulk replays: a filter over deliveries, a cursor through them, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from gateway_common.database import Connection, Database, Row
from webhooks.repositories.deliveries import Due, send_again

# What was filtered out or is on its way anyway is not part of "everything"; ask for it by status.
_FILTER = """
merchant_id = $1 AND created_at >= $2 AND created_at < $3 AND ($4::text IS NULL OR event_type = $4)
AND ($5::text IS NULL OR endpoint_id = $5)
AND (status = $6 OR ($6 IS NULL AND status IN ('success', 'failed', 'cancelled')))
AND EXISTS (SELECT FROM endpoints e WHERE e.id = deliveries.endpoint_id AND e.deleted_at IS NULL
            AND e.is_enabled AND e.url IS NOT NULL)
"""
_COUNT = f"SELECT count(*) FROM deliveries WHERE {_FILTER}"
_BITE = f"""
SELECT merchant_id, created_at, id FROM deliveries
WHERE {_FILTER} AND ($7::timestamptz IS NULL OR (created_at, id) > ($7, $8))
ORDER BY created_at, id LIMIT $9
"""
_COLUMNS = (
    "merchant_id, id, status, since, until, event_type, delivery_status, endpoint_id, per_second, total, queued,"
    " cursor_created_at, cursor_id, created_at, updated_at"
)
_INSERT = f"""
INSERT INTO replays (merchant_id, id, status, since, until, event_type, delivery_status, endpoint_id, per_second,
                     total, queued, created_at, updated_at)
VALUES ($1, $2, 'running', $3, $4, $5, $6, $7, $8, $9, 0, $10, $10)
RETURNING {_COLUMNS}
"""
_ONE = f"SELECT {_COLUMNS} FROM replays WHERE merchant_id = $1 AND id = $2"
_PAGE = f"""
SELECT {_COLUMNS} FROM replays
WHERE merchant_id = $1 AND (
    $2::uuid IS NULL OR (created_at, id) < (SELECT created_at, id FROM replays WHERE merchant_id = $1 AND id = $2))
ORDER BY created_at DESC, id DESC LIMIT $3
"""
_RUNNING = "SELECT merchant_id, id FROM replays WHERE status = 'running' ORDER BY created_at LIMIT 100"
_LOCK_RUNNING = f"{_ONE} AND status = 'running' AND (leased_until IS NULL OR leased_until <= $3) FOR UPDATE SKIP LOCKED"
_ADVANCE = """
UPDATE replays SET cursor_created_at = $3, cursor_id = $4, queued = queued + $5, status = $6, updated_at = $7,
    leased_until = $8
WHERE merchant_id = $1 AND id = $2
"""
_SET_STATUS = f"""
UPDATE replays SET status = $3, updated_at = $5 WHERE merchant_id = $1 AND id = $2 AND status = ANY($4::text[])
RETURNING {_COLUMNS}
"""


@dataclass(frozen=True, slots=True)
class ReplayFilter:
    """Which deliveries: created in `[since, until)`; None takes every event, endpoint, or settled state."""

    since: datetime
    until: datetime
    event_type: str | None
    delivery_status: str | None
    endpoint_id: str | None

    def arguments(self, merchant_id: UUID) -> tuple[Any, ...]:
        return (merchant_id, self.since, self.until, self.event_type, self.endpoint_id, self.delivery_status)


async def count(connection: Database | Connection, merchant_id: UUID, chosen: ReplayFilter) -> int:
    return int((await connection.fetch(_COUNT, *chosen.arguments(merchant_id)))[0]["count"])


async def start(
    transaction: Connection, merchant_id: UUID, chosen: ReplayFilter, per_second: int, total: int, now: datetime
) -> Row:
    row = await transaction.fetchrow(
        _INSERT,
        merchant_id,
        uuid4(),
        chosen.since,
        chosen.until,
        chosen.event_type,
        chosen.delivery_status,
        chosen.endpoint_id,
        per_second,
        total,
        now,
    )
    assert row is not None
    return row


async def find(database: Database, merchant_id: UUID, replay_id: UUID) -> Row | None:
    return await database.fetch_one(_ONE, merchant_id, replay_id)


async def page(database: Database, merchant_id: UUID, starting_after: UUID | None, limit: int) -> list[Row]:
    return await database.fetch(_PAGE, merchant_id, starting_after, limit + 1)


async def set_status(
    connection: Connection, merchant_id: UUID, replay_id: UUID, status: str, allowed: list[str], now: datetime
) -> Row | None:
    """None when the replay is in none of the `allowed` states."""
    return await connection.fetchrow(_SET_STATUS, merchant_id, replay_id, status, allowed, now)


async def running(database: Database) -> list[tuple[UUID, UUID]]:
    return [(row["merchant_id"], row["id"]) for row in await database.fetch(_RUNNING)]


async def take_bite(database: Database, job: tuple[UUID, UUID], now: datetime) -> list[Due]:
    """Start one second's worth of deliveries again and move the cursor past them, in one transaction."""
    async with database.transaction() as transaction:
        row = await transaction.fetchrow(_LOCK_RUNNING, *job, now)
        if row is None:
            return []
        chosen = ReplayFilter(row["since"], row["until"], row["event_type"], row["delivery_status"], row["endpoint_id"])
        found = await transaction.fetch(
            _BITE, *chosen.arguments(job[0]), row["cursor_created_at"], row["cursor_id"], row["per_second"]
        )
        dues = await send_again(transaction, [(one["merchant_id"], one["id"]) for one in found], now)
        is_done = len(found) < row["per_second"]
        last = found[-1] if found else None
        await transaction.execute(
            _ADVANCE,
            *job,
            last["created_at"] if last else row["cursor_created_at"],
            last["id"] if last else row["cursor_id"],
            len(found),
            "completed" if is_done else "running",
            now,
            now + timedelta(milliseconds=900),
        )
    return dues
