"""Claim deliveries, record what came of them, and stop, hold or repeat them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gateway_common.database import Connection, Database, Row
from webhooks.domain.delivery_ids import created_at_of

# A delay queue and this process may read two clocks; half a second early is on time.
_EARLY = timedelta(milliseconds=500)

_CLAIMED = (
    "d.merchant_id, d.created_at, d.id, d.event_id, d.endpoint_id, d.event_type, d.status, d.round, d.attempts,"
    " d.attempts_made, d.round_started_at"
)
_WITH_BODY = """
SELECT c.*, e.body, e.request_id FROM claimed c
JOIN events e ON e.merchant_id = c.merchant_id AND e.id = c.event_id AND e.created_at = c.created_at
"""
# The claim: state, due time, attempt number, and nobody else's lease. No row means a duplicate or a stale message.
_CLAIM = f"""
WITH claimed AS (
    UPDATE deliveries d SET claimed_until = $6
    FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::int[]) AS a (merchant_id, created_at, id, attempt)
    WHERE d.merchant_id = a.merchant_id AND d.created_at = a.created_at AND d.id = a.id
      AND d.status = 'pending' AND d.attempts = a.attempt - 1 AND d.next_retry_at <= $7
      AND (d.claimed_until IS NULL OR d.claimed_until < $5)
    RETURNING {_CLAIMED}
) {_WITH_BODY}
"""
_CLAIM_DUE = f"""
WITH due AS (
    SELECT merchant_id, created_at, id FROM deliveries
    WHERE endpoint_id = $1 AND status = 'pending' AND next_retry_at <= $2
      AND (claimed_until IS NULL OR claimed_until < $2)
    ORDER BY next_retry_at LIMIT $4 FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE deliveries d SET claimed_until = $3 FROM due
    WHERE d.merchant_id = due.merchant_id AND d.created_at = due.created_at AND d.id = due.id
    RETURNING {_CLAIMED}
) {_WITH_BODY} ORDER BY c.created_at, c.id
"""
# The oldest delivery that an endpoint missed in its outage: held, or exhausted since the outage began.
_CLAIM_MISSED = f"""
WITH missed AS (
    (SELECT merchant_id, created_at, id FROM deliveries
     WHERE endpoint_id = $1 AND status = 'pending' AND next_retry_at IS NULL AND created_at >= $5
       AND (claimed_until IS NULL OR claimed_until < $2)
     ORDER BY created_at, id LIMIT 1)
    UNION ALL
    (SELECT merchant_id, created_at, id FROM deliveries
     WHERE endpoint_id = $1 AND status = 'failed' AND reason = 'exhausted' AND created_at >= $5
       AND last_attempt_at >= $4 AND (claimed_until IS NULL OR claimed_until < $2)
     ORDER BY created_at, id LIMIT 1)
), oldest AS (SELECT * FROM missed ORDER BY created_at, id LIMIT 1
), claimed AS (
    UPDATE deliveries d SET claimed_until = $3 FROM oldest o
    WHERE d.merchant_id = o.merchant_id AND d.created_at = o.created_at AND d.id = o.id
      AND (d.claimed_until IS NULL OR d.claimed_until < $2)
    RETURNING {_CLAIMED}
) {_WITH_BODY}
"""
_GIVEN = "unnest($1::uuid[], $2::timestamptz[], $3::uuid[]) AS a (merchant_id, created_at, id)"
_SAME = "d.merchant_id = a.merchant_id AND d.created_at = a.created_at AND d.id = a.id"
_CANCEL_CLAIMED = f"""
UPDATE deliveries d SET status = 'cancelled', reason = $4, next_retry_at = NULL, claimed_until = NULL
FROM {_GIVEN} WHERE {_SAME} AND d.status = 'pending'
"""
# Held only while the breaker really is open, and that is locked meanwhile: recovery, which begins with a change of
# state, then finds every row that was held. What turns out to be free again stays due, for the sweeper.
_HOLD_CLAIMED = f"""
WITH open AS (
    SELECT endpoint_id FROM endpoint_health WHERE endpoint_id = ANY($4::text[]) AND state = 'open'
    ORDER BY endpoint_id FOR SHARE
)
UPDATE deliveries d SET claimed_until = NULL, woken_at = NULL,
    reason = CASE WHEN d.endpoint_id IN (SELECT endpoint_id FROM open) THEN 'held' ELSE d.reason END,
    next_retry_at = CASE WHEN d.endpoint_id IN (SELECT endpoint_id FROM open) THEN NULL ELSE d.next_retry_at END
FROM {_GIVEN} WHERE {_SAME} AND d.status = 'pending'
"""
_HOLD_DUE = """
WITH open AS (SELECT endpoint_id FROM endpoint_health WHERE endpoint_id = $1 AND state = 'open' FOR SHARE)
UPDATE deliveries SET reason = 'held', next_retry_at = NULL
WHERE endpoint_id IN (SELECT endpoint_id FROM open) AND status = 'pending' AND next_retry_at <= $2
  AND (claimed_until IS NULL OR claimed_until < $2)
"""
_MISS_AGAIN = """
UPDATE deliveries SET reason = 'exhausted'
WHERE endpoint_id = $1 AND status = 'failed' AND reason = 'exhausted_again' AND last_attempt_at >= $2
"""
_STOP_ALL = """
UPDATE deliveries SET status = 'cancelled', reason = $2, next_retry_at = NULL
WHERE endpoint_id = $1 AND status = 'pending'
"""
_AGAIN = f"""
UPDATE deliveries d SET status = 'pending', reason = NULL, round = d.round + 1, attempts = 0,
    round_started_at = $4, next_retry_at = $4, claimed_until = NULL, woken_at = NULL
FROM {_GIVEN} WHERE {_SAME}
RETURNING d.merchant_id, d.id, d.endpoint_id
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this process alone may attempt until its lease ends. `attempt` counts from 1 in its round."""

    merchant_id: UUID
    created_at: datetime
    id: UUID
    event_id: str
    endpoint_id: str
    event_type: str
    status: str
    round: int
    attempts: int
    attempts_made: int
    round_started_at: datetime
    body: str
    request_id: str

    @property
    def attempt(self) -> int:
        return self.attempts + 1


@dataclass(frozen=True, slots=True)
class Due:
    """A word that attempt number `attempt` of a delivery may be due."""

    merchant_id: UUID
    id: UUID
    endpoint_id: str
    attempt: int


def _claims(rows: list[Row]) -> list[Claim]:
    return [Claim(**row) for row in rows]


def _keys(claims: Sequence[Claim]) -> tuple[list[UUID], list[datetime], list[UUID]]:
    return [c.merchant_id for c in claims], [c.created_at for c in claims], [c.id for c in claims]


async def claim(database: Database, dues: Sequence[Due], now: datetime, until: datetime) -> list[Claim]:
    """Lease those that are really due; the others were done, are being done, or are not due yet."""
    ordered = sorted(dues, key=lambda due: (due.merchant_id, due.id))  # one order for all: no deadlock between batches
    return _claims(
        await database.fetch(
            _CLAIM,
            [due.merchant_id for due in ordered],
            [created_at_of(due.id) for due in ordered],
            [due.id for due in ordered],
            [due.attempt for due in ordered],
            now,
            until,
            now + _EARLY,
        )
    )


async def claim_due(database: Database, endpoint_id: str, now: datetime, until: datetime, limit: int) -> list[Claim]:
    """Lease what has waited longest for this endpoint."""
    return _claims(await database.fetch(_CLAIM_DUE, endpoint_id, now, until, limit))


async def claim_missed(
    database: Database, endpoint_id: str, now: datetime, until: datetime, missing_since: datetime, not_before: datetime
) -> Claim | None:
    """Lease the oldest delivery of an outage that began at `missing_since`; none created before `not_before`."""
    rows = await database.fetch(_CLAIM_MISSED, endpoint_id, now, until, missing_since, not_before)
    return _claims(rows)[0] if rows else None


async def cancel_claimed(database: Database, claims: Sequence[Claim], reason: str) -> None:
    await database.execute(_CANCEL_CLAIMED, *_keys(claims), reason)


async def hold_claimed(database: Database, claims: Sequence[Claim]) -> None:
    """Keep them for when the endpoint answers again."""
    await database.execute(_HOLD_CLAIMED, *_keys(claims), [claim.endpoint_id for claim in claims])


async def hold_due(database: Database, endpoint_id: str, now: datetime) -> None:
    await database.execute(_HOLD_DUE, endpoint_id, now)


async def miss_again(database: Database, endpoint_id: str, since: datetime | None) -> None:
    """Recovery stumbled and the endpoint is down again: what failed in it counts as missed once more."""
    await database.execute(_MISS_AGAIN, endpoint_id, since)


async def stop_all(connection: Connection, endpoint_id: str, reason: str) -> None:
    """The endpoint was disabled, deleted, or lost its URL: what is pending stops."""
    await connection.execute(_STOP_ALL, endpoint_id, reason)


async def send_again(connection: Database | Connection, keys: Sequence[tuple[UUID, UUID]], now: datetime) -> list[Due]:
    """Start a new round, due at once, for each `(merchant, delivery)`, whatever state it is in."""
    ordered = sorted(keys)
    rows = await connection.fetch(
        _AGAIN, [m for m, _ in ordered], [created_at_of(i) for _, i in ordered], [i for _, i in ordered], now
    )
    return [Due(row["merchant_id"], row["id"], row["endpoint_id"], 1) for row in rows]
