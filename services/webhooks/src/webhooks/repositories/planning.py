"""Write a batch of events and one delivery per endpoint, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway_common.database import Connection, Database
from webhooks.domain.delivery_ids import delivery_id

_ENDPOINTS = """
SELECT merchant_id, id, is_enabled, event_types FROM endpoints
WHERE merchant_id = ANY($1::uuid[]) AND deleted_at IS NULL AND url IS NOT NULL
"""
# An event that is there already was planned before: its primary key is this consumer's inbox.
_PLAN = """
WITH new_events AS (
    INSERT INTO events (merchant_id, id, created_at, type, payment_id, sequence, body, request_id)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::int[], $7::text[],
                         $8::text[])
    ON CONFLICT DO NOTHING
    RETURNING merchant_id, id, created_at, type
)
INSERT INTO deliveries (merchant_id, created_at, id, event_id, endpoint_id, event_type, status, reason,
                        round_started_at, next_retry_at)
SELECT e.merchant_id, e.created_at, p.id, e.id, p.endpoint_id, e.type,
       CASE WHEN p.reason IS NULL THEN 'pending' ELSE 'skipped' END, p.reason, $13::timestamptz,
       CASE WHEN p.reason IS NULL THEN $13::timestamptz END
FROM unnest($9::uuid[], $10::text[], $11::text[], $12::text[]) AS p (id, event_id, endpoint_id, reason)
JOIN new_events e ON e.id = p.event_id
ON CONFLICT DO NOTHING
RETURNING merchant_id, id, endpoint_id, status
"""
# A day is far longer than two services can be at odds about a payment's count.
_TAKEN_SEQUENCES = """
SELECT payment_id, sequence, id FROM events
WHERE (merchant_id, payment_id) IN (SELECT * FROM unnest($1::uuid[], $2::text[])) AND created_at >= $3
"""
_LOCK_PAYMENT = "SELECT pg_advisory_xact_lock(hashtextextended(p, 7)) FROM unnest($1::text[]) AS p"


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event as it is stored. `created_at` is in whole milliseconds; `body` is what is signed and sent."""

    merchant_id: UUID
    id: str
    created_at: datetime
    type: str
    payment_id: str | None
    sequence: int
    body: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """An endpoint as far as planning looks at it."""

    id: str
    is_enabled: bool
    event_types: frozenset[str] | None

    def reason_to_skip(self, event_type: str) -> str | None:
        if not self.is_enabled:
            return "endpoint_disabled"
        if self.event_types is not None and event_type not in self.event_types:
            return "filtered"
        return None


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    merchant_id: UUID
    id: UUID
    endpoint_id: str


async def recipients_of(database: Database, merchant_ids: set[UUID]) -> dict[UUID, list[Recipient]]:
    """The endpoints that have a URL, disabled ones too."""
    found: dict[UUID, list[Recipient]] = {}
    for row in await database.fetch(_ENDPOINTS, list(merchant_ids)):
        types = None if row["event_types"] is None else frozenset(row["event_types"])
        found.setdefault(row["merchant_id"], []).append(Recipient(row["id"], row["is_enabled"], types))
    return found


async def plan(
    connection: Database | Connection,
    events: Sequence[NewEvent],
    recipients: dict[UUID, list[Recipient]],
    now: datetime,
    *,
    ignoring_filters: bool = False,
) -> list[PlannedDelivery]:
    """Store what is new and return the deliveries that are due at once. Events seen before are left alone."""
    rows = [
        (
            delivery_id(event.created_at, event.sequence, event.id, recipient.id),
            event.id,
            recipient.id,
            None if ignoring_filters else recipient.reason_to_skip(event.type),
        )
        for event in events
        for recipient in recipients.get(event.merchant_id, ())
    ]
    written = await connection.fetch(
        _PLAN,
        [event.merchant_id for event in events],
        [event.id for event in events],
        [event.created_at for event in events],
        [event.type for event in events],
        [event.payment_id for event in events],
        [event.sequence for event in events],
        [event.body for event in events],
        [event.request_id for event in events],
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
        [row[3] for row in rows],
        now,
    )
    return [
        PlannedDelivery(row["merchant_id"], row["id"], row["endpoint_id"])
        for row in written
        if row["status"] == "pending"
    ]


async def lock_payments(transaction: Connection, payment_ids: set[str]) -> None:
    """Events of one payment whose counts may clash are numbered one planner at a time."""
    await transaction.execute(_LOCK_PAYMENT, sorted(payment_ids))


async def taken_sequences(
    transaction: Connection, payments: set[tuple[UUID, str]], since: datetime
) -> dict[str, dict[int, str]]:
    """Per payment, which sequence number belongs to which event."""
    ordered = sorted(payments)
    rows = await transaction.fetch(_TAKEN_SEQUENCES, [m for m, _ in ordered], [p for _, p in ordered], since)
    found: dict[str, dict[int, str]] = {}
    for row in rows:
        found.setdefault(row["payment_id"], {})[row["sequence"]] = row["id"]
    return found
