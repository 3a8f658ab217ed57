"""Breakers in the database: one row per endpoint that ever failed, changed under its row lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from gateway_common.database import Connection, Database, Row
from webhooks.domain.breaker import Breaker, BreakerState

_FIELDS = (
    "state",
    "consecutive_failures",
    "failing_since",
    "is_missing",
    "missing_since",
    "next_probe_at",
    "probe_failures",
    "stumbles",
)
_COLUMNS = ", ".join(_FIELDS)
# A row for everyone first, so that there is something to lock.
_ENSURE = """
INSERT INTO endpoint_health (endpoint_id, merchant_id, state, consecutive_failures, is_missing, probe_failures, stumbles)
SELECT e, m, 'closed', 0, false, 0, 0 FROM unnest($1::text[], $2::uuid[]) AS given (e, m)
ON CONFLICT DO NOTHING
"""
_LOCK = f"""
SELECT endpoint_id, {_COLUMNS} FROM endpoint_health WHERE endpoint_id = ANY($1::text[]) ORDER BY endpoint_id FOR UPDATE
"""
_SAVE = """
UPDATE endpoint_health SET state = $2, consecutive_failures = $3, failing_since = $4, is_missing = $5,
    missing_since = $6, next_probe_at = $7, probe_failures = $8, stumbles = $9
WHERE endpoint_id = $1
"""
_READ = f"SELECT {_COLUMNS} FROM endpoint_health WHERE endpoint_id = $1"
_LEASE = """
UPDATE endpoint_health SET leased_until = $2 WHERE endpoint_id IN (
    SELECT endpoint_id FROM endpoint_health
    WHERE is_missing AND (leased_until IS NULL OR leased_until < $1)
      AND (state = 'recovering' OR next_probe_at <= $1)
    ORDER BY next_probe_at NULLS FIRST LIMIT $3 FOR UPDATE SKIP LOCKED)
RETURNING endpoint_id
"""
_RENEW = "UPDATE endpoint_health SET leased_until = $2 WHERE endpoint_id = $1"
_POSTPONE = "UPDATE endpoint_health SET next_probe_at = $2 WHERE endpoint_id = $1"
_COUNTS = "SELECT state, count(*) AS count FROM endpoint_health GROUP BY state"


# What a batch of attempts taught about an endpoint: the breaker before becomes the one after.
Change = Callable[[Breaker], Breaker]


def breaker_of(row: Row) -> Breaker:
    """A row that has the breaker's columns; all null (an outer join) for an endpoint that never failed."""
    if row["state"] is None:
        return Breaker()
    fields = {field: row[field] for field in _FIELDS}
    return Breaker(**{**fields, "state": BreakerState(row["state"])})


async def change(database: Database, changes: Mapping[str, tuple[UUID, Change]]) -> dict[str, tuple[Breaker, Breaker]]:
    """Apply each endpoint's change under its lock; returns the breakers before and after."""
    done: dict[str, tuple[Breaker, Breaker]] = {}
    ordered = sorted(changes)
    async with database.transaction() as transaction:
        await transaction.execute(_ENSURE, ordered, [changes[endpoint_id][0] for endpoint_id in ordered])
        for row in await transaction.fetch(_LOCK, ordered):
            before = breaker_of(row)
            after = changes[row["endpoint_id"]][1](before)
            done[row["endpoint_id"]] = (before, after)
            if after != before:
                await save(transaction, row["endpoint_id"], after)
    return done


async def save(connection: Connection, endpoint_id: str, breaker: Breaker) -> None:
    await connection.execute(_SAVE, endpoint_id, *(getattr(breaker, field) for field in _FIELDS))


async def find(connection: Database | Connection, endpoint_id: str) -> Breaker:
    rows = await connection.fetch(_READ, endpoint_id)
    return breaker_of(rows[0]) if rows else Breaker()


async def lease_to_tend(database: Database, now: datetime, until: datetime, limit: int) -> list[str]:
    """Endpoints that are to be probed or recovered now, for this process alone until the lease ends."""
    return [row["endpoint_id"] for row in await database.fetch(_LEASE, now, until, limit)]


async def renew_lease(database: Database, endpoint_id: str, until: datetime | None) -> None:
    """None lets go."""
    await database.execute(_RENEW, endpoint_id, until)


async def finish_recovery(transaction: Connection, endpoint_id: str) -> None:
    """Nothing is missing any more, unless the endpoint went down again meanwhile."""
    for row in await transaction.fetch(_LOCK, [endpoint_id]):
        breaker = breaker_of(row)
        if not breaker.is_open:
            await save(transaction, endpoint_id, breaker.after_recovery())


async def postpone_probe(database: Database, endpoint_id: str, moment: datetime) -> None:
    await database.execute(_POSTPONE, endpoint_id, moment)


async def move(transaction: Connection, endpoint_id: str, now: datetime) -> None:
    """The endpoint has a new URL, or was enabled again."""
    for row in await transaction.fetch(_LOCK, [endpoint_id]):
        await save(transaction, endpoint_id, breaker_of(row).after_new_url(now))


async def count_by_state(database: Database) -> dict[str, int]:
    return {row["state"]: row["count"] for row in await database.fetch(_COUNTS)}
