"""Read the delivery log. The same cost at a thousand rows and at a million: counts are kept, pages follow an index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway_common.database import Connection, Database, Row
from webhooks.domain.delivery_ids import created_at_of
from webhooks.domain.states import DeliveryStatus

# What was filtered out or met a disabled endpoint is in the log for whoever asks for it, and in nobody's way.
SHOWN_BY_DEFAULT = tuple(status for status in DeliveryStatus if status is not DeliveryStatus.SKIPPED)

_LIST = (
    "id, event_type, status, attempts, created_at, last_attempt_at, next_retry_at, response_code, endpoint_id,"
    " event_id, reason"
)
_GROUPS = """
SELECT event_type, status, sum(count)::bigint AS count FROM (
    SELECT event_type, status, count FROM delivery_counts
    WHERE merchant_id = $1 AND ($4::text IS NULL OR endpoint_id = $4)
    UNION ALL
    SELECT event_type, status, change FROM delivery_count_changes
    WHERE merchant_id = $1 AND ($4::text IS NULL OR endpoint_id = $4)) AS counted
WHERE status = ANY($2::text[]) AND ($3::text IS NULL OR event_type = $3)
GROUP BY event_type, status HAVING sum(count) > 0
"""
# Each group of equal type and state is one range of the index; the newest of each are merged.
_PAGE = f"""
SELECT d.* FROM unnest($2::text[], $3::text[]) AS g (event_type, status)
CROSS JOIN LATERAL (
    SELECT {_LIST} FROM deliveries
    WHERE merchant_id = $1 AND event_type = g.event_type AND status = g.status
      AND ($4::text IS NULL OR endpoint_id = $4)
    ORDER BY created_at DESC, id DESC LIMIT $5::bigint + $6::bigint) d
ORDER BY d.created_at DESC, d.id DESC LIMIT $5::bigint OFFSET $6::bigint
"""
_DETAIL = f"""
SELECT {", ".join("d." + column.strip() for column in _LIST.split(","))}, d.round, e.body, p.url,
       p.schedule, p.deleted_at
FROM deliveries d
JOIN events e ON e.merchant_id = d.merchant_id AND e.id = d.event_id AND e.created_at = d.created_at
JOIN endpoints p ON p.id = d.endpoint_id
WHERE d.merchant_id = $1 AND d.created_at = $2 AND d.id = $3
"""
_ATTEMPTS = """
SELECT number, round, attempt, kind, url, started_at, duration_ms, dns_ms, connect_ms, tls_ms, first_byte_ms, address,
       response_code, error, request_headers, response_headers, response_body
FROM attempts WHERE delivery_id = $1 AND created_at = $2 ORDER BY number
"""
_ENDPOINT_OF = """
SELECT p.id, p.url, p.is_enabled, p.deleted_at FROM deliveries d JOIN endpoints p ON p.id = d.endpoint_id
WHERE d.merchant_id = $1 AND d.created_at = $2 AND d.id = $3 FOR UPDATE OF d
"""
_OF_EVENT = f"SELECT {_LIST} FROM deliveries WHERE merchant_id = $1 AND created_at = $2 AND event_id = $3 ORDER BY id"
_OF_PAYMENT = """
SELECT e.id AS event_id, e.type, e.request_id, d.id AS delivery_id, d.endpoint_id, a.number, a.kind, a.started_at,
       a.duration_ms, a.response_code, a.error
FROM events e
JOIN deliveries d ON d.merchant_id = e.merchant_id AND d.created_at = e.created_at AND d.event_id = e.id
JOIN attempts a ON a.delivery_id = d.id AND a.created_at = d.created_at
WHERE e.merchant_id = $1 AND e.payment_id = $2
ORDER BY a.started_at LIMIT 500
"""


@dataclass(frozen=True, slots=True)
class LogFilter:
    statuses: Sequence[str] = SHOWN_BY_DEFAULT
    event_type: str | None = None
    endpoint_id: str | None = None


async def page(
    database: Database, merchant_id: UUID, chosen: LogFilter, limit: int, offset: int
) -> tuple[list[Row], int]:
    """Newest first, and how many there are in all."""
    groups = await database.fetch(_GROUPS, merchant_id, list(chosen.statuses), chosen.event_type, chosen.endpoint_id)
    total = sum(group["count"] for group in groups)
    if total <= offset:
        return [], total
    rows = await database.fetch(
        _PAGE,
        merchant_id,
        [group["event_type"] for group in groups],
        [group["status"] for group in groups],
        chosen.endpoint_id,
        limit,
        offset,
    )
    return rows, total


async def detail(database: Database, merchant_id: UUID, delivery_id: UUID) -> tuple[Row, list[Row]] | None:
    """The delivery with its event's body and its endpoint, and every attempt in order."""
    created_at = created_at_of(delivery_id)
    row = await database.fetch_one(_DETAIL, merchant_id, created_at, delivery_id)
    if row is None:
        return None
    return row, await database.fetch(_ATTEMPTS, delivery_id, created_at)


async def endpoint_of(transaction: Connection, merchant_id: UUID, delivery_id: UUID) -> Row | None:
    """The state of a delivery's endpoint; locks the delivery."""
    return await transaction.fetchrow(_ENDPOINT_OF, merchant_id, created_at_of(delivery_id), delivery_id)


async def of_event(database: Database, merchant_id: UUID, created_at: datetime, event_id: str) -> list[Row]:
    return await database.fetch(_OF_EVENT, merchant_id, created_at, event_id)


async def attempts_of_payment(database: Database, merchant_id: UUID, payment_id: str) -> list[dict[str, Any]]:
    """Every attempt to tell the merchant about this payment, in order of time."""
    return [dict(row) for row in await database.fetch(_OF_PAYMENT, merchant_id, payment_id)]
