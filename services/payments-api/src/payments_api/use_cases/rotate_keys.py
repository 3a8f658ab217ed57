"""New pairs of keys, and the end of old ones.

A repeat with the same idempotency key must show the same secret again, and yet no secret may be stored. So the secret
of a request that carries such a key is made from the new key's id with this service's own secret, and made again when
the request is repeated; what the fence keeps is the answer without it (docs/decisions/0014).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson

from gateway_common.auth.secrets import checkout_signing_key, new_api_key, new_api_secret
from gateway_common.clock import to_iso
from gateway_common.errors import NotFoundError
from gateway_common.idempotency import Fence, StoredResponse, begin_fence, finish_fence
from payments_api.dependencies import Dependencies
from payments_api.repositories import merchants
from payments_api.use_cases.register_merchant import make_key


async def add_key(using: Dependencies, merchant_id: UUID, fence: Fence | None) -> StoredResponse:
    """201 with the new pair; the secret is shown in this answer only."""
    now = using.now()
    is_test = using.settings.test_mode
    key_id = uuid4()
    api_secret = new_api_secret(is_test=is_test) if fence is None else _derived_secret(using, key_id)
    key = make_key(new_api_key(is_test=is_test), api_secret, key_id)
    kept = StoredResponse(201, orjson.dumps(key_fields(key_id, key.key, now, None)))
    async with using.database.transaction() as transaction:
        replay = await begin_fence(transaction, fence, now)
        if replay is None:
            await merchants.insert_key(transaction, merchant_id, key, now)
            await finish_fence(transaction, fence, kept)
    if replay is None:
        return StoredResponse(201, _with_secret(kept.body, api_secret))
    known_id = UUID(orjson.loads(replay.body)["id"])
    return StoredResponse(201, _with_secret(replay.body, _derived_secret(using, known_id)), is_replay=True)


async def end_key(using: Dependencies, merchant_id: UUID, key_id: UUID, after_hours: int) -> dict[str, Any]:
    """The key stops working after `after_hours`; with 0, everywhere within 5 s.

    Raises:
        NotFoundError: the merchant has no such active key.
    """
    now = using.now()
    row = await merchants.expire_key(using.database, merchant_id, key_id, now, now + timedelta(hours=after_hours))
    if row is None:
        raise NotFoundError("API key not found")
    return key_fields(row["id"], row["key"], row["created_at"], row["expires_at"])


def key_fields(key_id: UUID, api_key: str, created_at: datetime, expires_at: datetime | None) -> dict[str, Any]:
    return {
        "id": str(key_id),
        "api_key": api_key,
        "created_at": to_iso(created_at),
        "expires_at": None if expires_at is None else to_iso(expires_at),
    }


def _with_secret(body: bytes, api_secret: str) -> bytes:
    shown = {"api_secret": api_secret, "checkout_signing_key": checkout_signing_key(api_secret)}
    return orjson.dumps({**orjson.loads(body), **shown})


def _derived_secret(using: Dependencies, key_id: UUID) -> str:
    secret = using.settings.internal_token_secret.get_secret_value()
    digest = hmac.new(secret.encode(), b"api-secret:" + key_id.bytes, hashlib.sha256).digest()
    prefix = "secret_test_" if using.settings.test_mode else "secret_live_"
    return prefix + base64.urlsafe_b64encode(digest).decode().rstrip("=").replace("-", "A").replace("_", "B")
