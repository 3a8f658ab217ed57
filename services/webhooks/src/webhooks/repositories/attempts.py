"""Write what came of a batch of attempts: the log rows and the deliveries' new states, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway_common.database import Database

# Fenced by round and attempt number: what was started again meanwhile, or recorded already, is only logged.
_RECORD = """
WITH r AS (
    SELECT * FROM unnest(
        $1::uuid[], $2::timestamptz[], $3::uuid[], $4::smallint[], $5::int[], $6::int[], $7::int[], $8::text[],
        $9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[], $14::real[], $15::real[],
        $16::real[], $17::real[], $18::real[], $19::text[], $20::smallint[], $21::text[], $22::text[], $23::text[],
        $24::text[], $25::text[])
    AS r (merchant_id, created_at, id, round, attempts_before, attempts_after, number, status_before, status, reason,
          kind, next_retry_at, started_at, duration_ms, dns_ms, connect_ms, tls_ms, first_byte_ms, address,
          response_code, error, url, request_headers, response_headers, response_body)
), logged AS (
    INSERT INTO attempts (delivery_id, number, created_at, round, attempt, kind, url, started_at, duration_ms, dns_ms,
                          connect_ms, tls_ms, first_byte_ms, address, response_code, error, request_headers,
                          response_headers, response_body)
    SELECT id, number, created_at, round, attempts_before + 1, kind, url, started_at, duration_ms, dns_ms, connect_ms,
           tls_ms, first_byte_ms, address, response_code, error, request_headers,
           response_headers, response_body
    FROM r ON CONFLICT DO NOTHING
)
UPDATE deliveries d
SET status = r.status, reason = r.reason, attempts = r.attempts_after, attempts_made = r.number,
    next_retry_at = r.next_retry_at, last_attempt_at = r.started_at, response_code = r.response_code,
    claimed_until = NULL, woken_at = NULL
FROM r
WHERE d.merchant_id = r.merchant_id AND d.created_at = r.created_at AND d.id = r.id
  AND d.round = r.round AND d.attempts = r.attempts_before AND d.status = r.status_before
RETURNING d.id
"""


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One row of the log and what it makes of its delivery; the fields are the columns of the statement above, in order."""

    merchant_id: UUID
    created_at: datetime
    id: UUID
    round: int
    attempts_before: int
    attempts_after: int
    number: int
    status_before: str
    status: str
    reason: str | None
    kind: str
    next_retry_at: datetime | None
    started_at: datetime
    duration_ms: float
    dns_ms: float | None
    connect_ms: float | None
    tls_ms: float | None
    first_byte_ms: float | None
    address: str | None
    response_code: int | None
    error: str | None
    url: str
    request_headers: str
    response_headers: str | None
    response_body: str | None


_FIELDS = tuple(AttemptRecord.__dataclass_fields__)


async def record(database: Database, records: Sequence[AttemptRecord]) -> set[UUID]:
    """Returns the deliveries whose state changed; one that is missing had been started again or recorded already."""
    ordered = sorted(records, key=lambda one: (one.merchant_id, one.id))
    rows = await database.fetch(_RECORD, *([getattr(one, field) for one in ordered] for field in _FIELDS))
    return {row["id"] for row in rows}
