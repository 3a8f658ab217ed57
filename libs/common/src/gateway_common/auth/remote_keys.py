"""Look an API key up from another service: Redis first, then payments-api with a signed internal call."""

from __future__ import annotations

import base64
import re
from contextlib import suppress
from urllib.parse import quote
from uuid import UUID

import httpx
import orjson
from redis.exceptions import RedisError

from gateway_common.auth.credentials import ApiKey
from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.cache import Redis
from gateway_common.clock import from_iso, to_iso
from gateway_common.errors import ServiceUnavailableError

REDIS_SECONDS = 2
PAYMENTS_API = "payments-api"

# Anything else cannot be a key, and must not be taken for a part of a path (`a/b`, `..`).
_KEY_SHAPE = re.compile(r"[A-Za-z0-9_-]+\Z")


def _cache_name(key: str) -> str:
    return f"auth:key:{key}"


def key_to_json(found: ApiKey | None) -> bytes:
    """The shape of `GET /internal/v1/api-keys/{key}` and of the Redis entry: `null`, or the key without its secret."""
    if found is None:
        return b"null"
    return orjson.dumps(
        {
            "key": found.key,
            "merchant_id": str(found.merchant_id),
            "secret_hash": base64.b64encode(found.secret_hash).decode(),
            "expires_at": None if found.expires_at is None else to_iso(found.expires_at),
        }
    )


def key_from_json(body: bytes | str) -> ApiKey | None:
    data = orjson.loads(body)
    if data is None:
        return None
    return ApiKey(
        data["key"],
        UUID(data["merchant_id"]),
        base64.b64decode(data["secret_hash"]),
        None if data["expires_at"] is None else from_iso(data["expires_at"]),
    )


class RemoteKeySource:
    """A `KeySource` for every service but payments-api. A Redis that is gone costs a call, not the request."""

    def __init__(self, http: httpx.AsyncClient, redis: Redis, tokens: InternalTokens) -> None:
        """`http` has payments-api as its base URL."""
        self._http = http
        self._redis = redis
        self._tokens = tokens

    async def find(self, key: str) -> ApiKey | None:
        """Raises `ServiceUnavailableError` when payments-api cannot be asked."""
        if not _KEY_SHAPE.match(key):
            return None
        try:
            cached = await self._redis.get(_cache_name(key))
        except (RedisError, OSError, TimeoutError):
            cached = None
        if cached is not None:
            return key_from_json(cached)
        try:
            response = await self._http.get(
                f"/internal/v1/api-keys/{quote(key, safe='')}", headers=self._tokens.headers(PAYMENTS_API)
            )
            response.raise_for_status()
        except httpx.HTTPError as error:
            raise ServiceUnavailableError(
                "API keys cannot be checked at the moment; try again in a moment", reason="payments_api_unavailable"
            ) from error
        with suppress(RedisError, OSError, TimeoutError):
            await self._redis.set(_cache_name(key), response.content, ex=REDIS_SECONDS)
        return key_from_json(response.content)
