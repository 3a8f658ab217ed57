"""Endpoints and their secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway_common.auth.secrets import new_webhook_secret
from gateway_common.database import Connection, Database, Row
from gateway_common.ids import new_endpoint_id
from webhooks.sealing import SecretSealer

_COLUMNS = (
    "merchant_id, id, url, description, is_default, is_enabled, disabled_reason, event_types, schedule,"
    " created_at, updated_at"
)
_INSERT = f"""
WITH made AS (
    INSERT INTO endpoints (merchant_id, id, url, description, is_default, is_enabled, event_types, schedule,
                           created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
    ON CONFLICT (merchant_id) WHERE is_default AND deleted_at IS NULL DO NOTHING
    RETURNING {_COLUMNS}
), secret AS (
    INSERT INTO endpoint_secrets (endpoint_id, sealed, created_at) SELECT id, $10, $9 FROM made
)
SELECT * FROM made
"""
_DEFAULT = f"SELECT {_COLUMNS} FROM endpoints WHERE merchant_id = $1 AND is_default AND deleted_at IS NULL"
_ONE = f"SELECT {_COLUMNS} FROM endpoints WHERE merchant_id = $1 AND id = $2 AND deleted_at IS NULL"
_PAGE = f"""
SELECT {_COLUMNS} FROM endpoints
WHERE merchant_id = $1 AND deleted_at IS NULL AND url IS NOT NULL AND (
    $2::text IS NULL OR (created_at, id) < (SELECT created_at, id FROM endpoints WHERE merchant_id = $1 AND id = $2))
ORDER BY created_at DESC, id DESC LIMIT $3
"""
_COUNT = "SELECT count(*) FROM endpoints WHERE merchant_id = $1 AND deleted_at IS NULL"
_UPDATE = f"""
UPDATE endpoints SET url = $3, description = $4, is_enabled = $5, disabled_reason = $6, event_types = $7,
    schedule = $8, updated_at = $9
WHERE merchant_id = $1 AND id = $2 AND deleted_at IS NULL
RETURNING {_COLUMNS}
"""
_DISABLE_GONE = """
UPDATE endpoints SET is_enabled = false, disabled_reason = 'gone', updated_at = $3
WHERE merchant_id = $1 AND id = $2 AND deleted_at IS NULL
"""
_DELETE = """
UPDATE endpoints SET deleted_at = $3, is_enabled = false, updated_at = $3
WHERE merchant_id = $1 AND id = $2 AND deleted_at IS NULL RETURNING true
"""
_SECRETS = """
SELECT endpoint_id, sealed, expires_at FROM endpoint_secrets
WHERE endpoint_id = ANY($1::text[]) AND (expires_at IS NULL OR expires_at > $2)
ORDER BY endpoint_id, number DESC
"""
_EXPIRE = "UPDATE endpoint_secrets SET expires_at = $2 WHERE endpoint_id = $1 AND expires_at IS NULL"
_ADD = "INSERT INTO endpoint_secrets (endpoint_id, sealed, created_at) VALUES ($1, $2, $3)"
_FORGET = "DELETE FROM endpoint_secrets WHERE expires_at < $1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a merchant wants its events. `url` is None only for a default endpoint that is not set."""

    merchant_id: UUID
    id: str
    url: str | None
    description: str | None
    is_default: bool
    is_enabled: bool
    disabled_reason: str | None
    event_types: tuple[str, ...] | None
    schedule: str
    created_at: datetime
    updated_at: datetime


def _endpoint(row: Row) -> Endpoint:
    fields: dict[str, Any] = dict(row)
    fields["event_types"] = None if row["event_types"] is None else tuple(row["event_types"])
    return Endpoint(**fields)


class EndpointRepository:
    """`connection` arguments are the caller's transaction."""

    def __init__(self, database: Database, sealer: SecretSealer) -> None:
        self._database = database
        self._sealer = sealer

    async def default(self, merchant_id: UUID, now: datetime) -> Endpoint:
        """The merchant's default endpoint; made, without a URL, the first time it is asked for."""
        row = await self._database.fetch_one(_DEFAULT, merchant_id)
        if row is None:
            async with self._database.connection() as connection:
                await self.add(connection, merchant_id, now, is_default=True)
            row = await self._database.fetch_one(_DEFAULT, merchant_id)
        assert row is not None
        return _endpoint(row)

    async def add(
        self,
        connection: Connection,
        merchant_id: UUID,
        now: datetime,
        *,
        url: str | None = None,
        description: str | None = None,
        is_default: bool = False,
        is_enabled: bool = True,
        event_types: Sequence[str] | None = None,
        schedule: str = "default",
        secret: str | None = None,
    ) -> Endpoint | None:
        """A new endpoint with a new secret (or the one given); None when the merchant has a default one already."""
        endpoint_id = new_endpoint_id()
        sealed = self._sealer.seal(secret or new_webhook_secret(), endpoint_id)
        row = await connection.fetchrow(
            _INSERT,
            merchant_id,
            endpoint_id,
            url,
            description,
            is_default,
            is_enabled,
            None if event_types is None else list(event_types),
            schedule,
            now,
            sealed,
        )
        return None if row is None else _endpoint(row)

    async def find(self, merchant_id: UUID, endpoint_id: str) -> Endpoint | None:
        row = await self._database.fetch_one(_ONE, merchant_id, endpoint_id)
        return None if row is None else _endpoint(row)

    async def lock(self, transaction: Connection, merchant_id: UUID, endpoint_id: str) -> Endpoint | None:
        row = await transaction.fetchrow(_ONE + " FOR UPDATE", merchant_id, endpoint_id)
        return None if row is None else _endpoint(row)

    async def page(self, merchant_id: UUID, starting_after: str | None, limit: int) -> list[Endpoint]:
        """Newest first; one more than `limit` tells that there are more."""
        return [_endpoint(row) for row in await self._database.fetch(_PAGE, merchant_id, starting_after, limit + 1)]

    async def count(self, connection: Connection, merchant_id: UUID) -> int:
        return int(await connection.fetchval(_COUNT, merchant_id))

    async def save(self, transaction: Connection, endpoint: Endpoint, now: datetime) -> Endpoint:
        row = await transaction.fetchrow(
            _UPDATE,
            endpoint.merchant_id,
            endpoint.id,
            endpoint.url,
            endpoint.description,
            endpoint.is_enabled,
            endpoint.disabled_reason,
            None if endpoint.event_types is None else list(endpoint.event_types),
            endpoint.schedule,
            now,
        )
        assert row is not None
        return _endpoint(row)

    async def delete(self, transaction: Connection, merchant_id: UUID, endpoint_id: str, now: datetime) -> bool:
        return bool(await transaction.fetchval(_DELETE, merchant_id, endpoint_id, now))

    async def secrets(self, endpoint_ids: Sequence[str], now: datetime) -> dict[str, list[str]]:
        """Per endpoint the secrets that sign now: the current one first, then those still in their overlap."""
        found: dict[str, list[str]] = {}
        for row in await self._database.fetch(_SECRETS, list(endpoint_ids), now):
            secret = self._sealer.open(row["sealed"], row["endpoint_id"])
            found.setdefault(row["endpoint_id"], []).append(secret)
        return found

    async def first_secret(self, transaction: Connection, endpoint_id: str) -> str:
        """The secret of an endpoint made in this transaction."""
        sealed = await transaction.fetchval(
            "SELECT sealed FROM endpoint_secrets WHERE endpoint_id = $1 AND expires_at IS NULL", endpoint_id
        )
        return self._sealer.open(sealed, endpoint_id)

    async def rotate_secret(
        self, transaction: Connection, endpoint_id: str, now: datetime, old_ends_at: datetime
    ) -> str:
        """A new secret; the one before it goes on signing until `old_ends_at`. The caller holds the endpoint's lock."""
        secret = new_webhook_secret()
        await transaction.execute(_EXPIRE, endpoint_id, old_ends_at)
        await transaction.execute(_ADD, endpoint_id, self._sealer.seal(secret, endpoint_id), now)
        return secret


async def disable_gone(transaction: Connection, merchant_id: UUID, endpoint_id: str, now: datetime) -> None:
    """The endpoint answered 410."""
    await transaction.execute(_DISABLE_GONE, merchant_id, endpoint_id, now)


async def forget_expired_secrets(database: Database, now: datetime) -> None:
    await database.execute(_FORGET, now)
