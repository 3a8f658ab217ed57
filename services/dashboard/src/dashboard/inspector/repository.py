"""What the inspector received, and how each merchant told it to answer."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from gateway_common.database import Database, Row

KEPT = 100

_ENSURE = """
INSERT INTO inspectors (merchant_id, token) VALUES ($1, $2)
ON CONFLICT (merchant_id) DO UPDATE SET merchant_id = excluded.merchant_id
RETURNING merchant_id, token, answer_status, answer_delay_ms
"""
_BY_MERCHANT = "SELECT merchant_id, token, answer_status, answer_delay_ms FROM inspectors WHERE merchant_id = $1"
_AT_ADDRESS = "SELECT merchant_id, token, answer_status, answer_delay_ms FROM inspectors WHERE token = $1"
_BEHAVE = "UPDATE inspectors SET answer_status = $2, answer_delay_ms = $3 WHERE merchant_id = $1"
_ADD = """
INSERT INTO inspections (merchant_id, received_at, event, event_id, attempt, payment_id, headers, body, is_verified,
                         verified_by, answered_status)
VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10, $11)
RETURNING id
"""
# Every twentieth is enough: the number kept is a promise to the disk, not to anybody's eye.
_TRIM = """
DELETE FROM inspections WHERE merchant_id = $1 AND id <= (
    SELECT id FROM inspections WHERE merchant_id = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)
"""
_LIST = "SELECT * FROM inspections WHERE merchant_id = $1 ORDER BY id DESC LIMIT $2"
_OF_PAYMENT = """
SELECT * FROM inspections WHERE merchant_id = $1 AND payment_id = $2 ORDER BY id DESC LIMIT 20
"""
_NEWEST = "SELECT merchant_id, max(id) AS id FROM inspections WHERE merchant_id = ANY($1::uuid[]) GROUP BY merchant_id"
_CLEAR = "DELETE FROM inspections WHERE merchant_id = $1"
_TRIM_EVERY = 20


@dataclass(frozen=True, slots=True)
class Inspector:
    merchant_id: UUID
    token: str
    answer_status: int
    answer_delay_ms: int


@dataclass(frozen=True, slots=True)
class Received:
    """One webhook as it came. `headers` in lower case; `payment_id` is what its body is about, if it says so."""

    merchant_id: UUID
    received_at: datetime
    event: str | None
    event_id: str | None
    attempt: int | None
    payment_id: str | None
    headers: dict[str, str]
    body: str
    verified_by: list[str]
    answered_status: int

    @property
    def is_verified(self) -> bool:
        """Both signatures hold; the contract promises both."""
        return len(self.verified_by) == 2


class Inspections:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def inspector_of(self, merchant_id: UUID) -> Inspector:
        """The merchant's own, with an address nobody can guess; made when first asked for."""
        row = await self._database.fetch_one(_BY_MERCHANT, merchant_id)
        row = row or await self._database.fetch_one(_ENSURE, merchant_id, secrets.token_urlsafe(24))
        assert row is not None
        return Inspector(**row)

    async def inspector_at(self, token: str) -> Inspector | None:
        row = await self._database.fetch_one(_AT_ADDRESS, token)
        return None if row is None else Inspector(**row)

    async def behave(self, merchant_id: UUID, answer_status: int, answer_delay_ms: int) -> None:
        await self._database.execute(_BEHAVE, merchant_id, answer_status, answer_delay_ms)

    async def add(self, received: Received) -> None:
        number = await self._database.fetch_value(
            _ADD,
            received.merchant_id,
            received.received_at,
            received.event,
            received.event_id,
            received.attempt,
            received.payment_id,
            orjson.dumps(received.headers).decode(),
            received.body,
            received.is_verified,
            received.verified_by,
            received.answered_status,
        )
        if number % _TRIM_EVERY == 0:
            await self._database.execute(_TRIM, received.merchant_id, KEPT)

    async def newest(self, merchant_id: UUID, limit: int = 50) -> list[dict[str, Any]]:
        return [_shown(row) for row in await self._database.fetch(_LIST, merchant_id, limit)]

    async def of_payment(self, merchant_id: UUID, payment_id: str) -> list[dict[str, Any]]:
        return [_shown(row) for row in await self._database.fetch(_OF_PAYMENT, merchant_id, payment_id)]

    async def newest_ids(self, merchants: Sequence[UUID]) -> dict[UUID, int]:
        return {row["merchant_id"]: row["id"] for row in await self._database.fetch(_NEWEST, list(merchants))}

    async def clear(self, merchant_id: UUID) -> None:
        await self._database.execute(_CLEAR, merchant_id)


def _shown(row: Row) -> dict[str, Any]:
    return {**row, "headers": orjson.loads(row["headers"])}
