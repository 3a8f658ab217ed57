"""Merchants and their API keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from gateway_common.auth.credentials import ApiKey
from gateway_common.database import Connection, Database, Row

_INSERT_MERCHANT = "INSERT INTO merchants (id, name, email, created_at) VALUES ($1, $2, $3, $4)"
_INSERT_KEY = """
INSERT INTO api_keys (id, merchant_id, key, secret_hash, signing_key, created_at) VALUES ($1, $2, $3, $4, $5, $6)
"""
_FIND = "SELECT id, name, email, created_at FROM merchants WHERE id = $1"
_ACTIVE_KEYS = """
SELECT id, key, created_at, expires_at FROM api_keys
WHERE merchant_id = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY created_at, id
"""
_FIND_KEY = """
SELECT key, merchant_id, secret_hash, expires_at FROM api_keys WHERE key = $1 AND (expires_at IS NULL OR expires_at > now())
"""
_SIGNING_KEY = """
SELECT signing_key FROM api_keys
WHERE key = $1 AND merchant_id = $2 AND (expires_at IS NULL OR expires_at > $3)
"""
# Sooner wins: a key that is to end now must not live on because of an earlier, longer overlap.
_EXPIRE_KEY = """
UPDATE api_keys SET expires_at = least(expires_at, $4)
WHERE merchant_id = $1 AND id = $2 AND (expires_at IS NULL OR expires_at > $3)
RETURNING id, key, created_at, expires_at
"""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A pair before it is stored: of the secret only its hash and the signing key made from it are kept."""

    id: UUID
    key: str
    secret_hash: bytes
    signing_key: str


class DatabaseKeySource:
    """A `KeySource` over this service's own table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, key: str) -> ApiKey | None:
        if not key.isascii() or not key.isprintable():
            return None  # PostgreSQL refuses U+0000 in a text
        row = await self._database.fetch_one(_FIND_KEY, key)
        return None if row is None else ApiKey(row["key"], row["merchant_id"], row["secret_hash"], row["expires_at"])


async def insert(transaction: Connection, merchant_id: UUID, name: str, email: str, key: NewKey, now: datetime) -> bool:
    """False when the email address is taken; the transaction must then be rolled back."""
    try:
        await transaction.execute(_INSERT_MERCHANT, merchant_id, name, email, now)
    except asyncpg.UniqueViolationError:
        return False
    await insert_key(transaction, merchant_id, key, now)
    return True


async def insert_key(transaction: Connection, merchant_id: UUID, key: NewKey, now: datetime) -> None:
    await transaction.execute(_INSERT_KEY, key.id, merchant_id, key.key, key.secret_hash, key.signing_key, now)


async def find(database: Database, merchant_id: UUID) -> Row | None:
    return await database.fetch_one(_FIND, merchant_id)


async def active_keys(database: Database, merchant_id: UUID, now: datetime) -> list[Row]:
    return await database.fetch(_ACTIVE_KEYS, merchant_id, now)


async def expire_key(
    database: Database, merchant_id: UUID, key_id: UUID, now: datetime, expires_at: datetime
) -> Row | None:
    """None when the merchant has no such active key."""
    return await database.fetch_one(_EXPIRE_KEY, merchant_id, key_id, now, expires_at)


async def find_signing_key(database: Database, key: str, merchant_id: UUID, now: datetime) -> str | None:
    """What signs checkout results for an active key of that merchant."""
    signing_key: str | None = await database.fetch_value(_SIGNING_KEY, key, merchant_id, now)
    return signing_key
