"""Fences of statements that make their object in one go: the object's id instead of the response's bytes."""

from __future__ import annotations

from datetime import datetime

from gateway_common.database import Database
from gateway_common.errors import IdempotencyKeyReusedError
from gateway_common.idempotency import Fence
from gateway_common.idempotency.fence import KEPT

_FIND = """
SELECT fingerprint, resource_id, created_at < $3 AS is_expired FROM idempotency_keys WHERE merchant_id = $1 AND key = $2
"""
_FORGET = "DELETE FROM idempotency_keys WHERE merchant_id = $1 AND key = $2 AND created_at < $3"


async def find_made(database: Database, fence: Fence | None, now: datetime) -> str | None:
    """The id of what an earlier request with this key made. An expired fence is deleted and counts as absent.

    Raises:
        IdempotencyKeyReusedError: it was another request.
    """
    if fence is None:
        return None
    row = await database.fetch_one(_FIND, fence.merchant_id, fence.key, now - KEPT)
    if row is None:
        return None
    if row["is_expired"]:
        await database.execute(_FORGET, fence.merchant_id, fence.key, now - KEPT)
        return None
    if row["fingerprint"] != fence.fingerprint or row["resource_id"] is None:
        raise IdempotencyKeyReusedError
    resource_id: str = row["resource_id"]
    return resource_id
