"""The fence in PostgreSQL: one row per used key, written in the same transaction as the effect.

It makes the second of two requests with one key wait for the first and then answer the same, even when Redis was
flushed in between. Rows older than 24 h count as absent and are deleted by `delete_old`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, LargeBinary, MetaData, SmallInteger, Table, Text, Uuid

from gateway_common.database import Connection, Database
from gateway_common.errors import IdempotencyKeyReusedError

KEPT = timedelta(hours=24)

# An expired row is taken over in place; a live one makes the insert return nothing.
_BEGIN = """
INSERT INTO idempotency_keys AS known (merchant_id, key, fingerprint, created_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (merchant_id, key) DO UPDATE
    SET fingerprint = excluded.fingerprint, created_at = excluded.created_at, status = NULL, body = NULL, resource_id = NULL
    WHERE known.created_at < $5
RETURNING true
"""
_READ = "SELECT fingerprint, status, body, resource_id FROM idempotency_keys WHERE merchant_id = $1 AND key = $2"
_FINISH = "UPDATE idempotency_keys SET status = $3, body = $4 WHERE merchant_id = $1 AND key = $2"
_DELETE_OLD = """
DELETE FROM idempotency_keys WHERE (merchant_id, key) IN (
    SELECT merchant_id, key FROM idempotency_keys WHERE created_at < $1 LIMIT 5000)
"""


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A complete response: replayed byte for byte. `is_replay` when it was the fence that gave it back."""

    status: int
    body: bytes
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class Fence:
    """What identifies a request: whose, which key, and a keyed hash of method, path and body."""

    merchant_id: UUID
    key: str
    fingerprint: bytes


def define_idempotency_keys(metadata: MetaData) -> Table:
    """A statement that makes its object in one go stores `resource_id` and renders the response again from the object;
    a transaction stores `status` and `body`."""
    return Table(
        "idempotency_keys",
        metadata,
        Column("merchant_id", Uuid(), primary_key=True),
        Column("key", Text, primary_key=True),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("resource_id", Text),
        Column("status", SmallInteger),
        Column("body", Text),
        Column("created_at", DateTime(timezone=True), nullable=False),
        # A summary of each stretch of the table: keys are only ever looked for by their age to be deleted.
        Index("idempotency_keys_age", "created_at", postgresql_using="brin"),
    )


async def begin_fence(transaction: Connection, fence: Fence | None, now: datetime) -> StoredResponse | None:
    """First thing in a transaction: None when this request is the first, otherwise the response to replay.

    Waits for a transaction with the same key that is under way.

    Raises:
        IdempotencyKeyReusedError: the key was used with a different request.
    """
    if fence is None:
        return None
    is_first = await transaction.fetchval(_BEGIN, fence.merchant_id, fence.key, fence.fingerprint, now, now - KEPT)
    if is_first:
        return None
    row = await transaction.fetchrow(_READ, fence.merchant_id, fence.key)
    if row is None or row["fingerprint"] != fence.fingerprint or row["status"] is None:
        raise IdempotencyKeyReusedError
    return StoredResponse(row["status"], row["body"].encode(), is_replay=True)


async def finish_fence(transaction: Connection, fence: Fence | None, response: StoredResponse) -> None:
    """Last thing in the same transaction: keep the response."""
    if fence is not None:
        await transaction.execute(_FINISH, fence.merchant_id, fence.key, response.status, response.body.decode())


async def delete_old(database: Database, now: datetime) -> None:
    """Housekeeping, in small bites so that no lock is held long."""
    while int((await database.execute(_DELETE_OLD, now - KEPT)).split()[-1]) == 5000:
        continue
