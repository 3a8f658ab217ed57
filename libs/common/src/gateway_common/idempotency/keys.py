"""The fast side in Redis: who is working on a key, and the finished responses.

A key's value is `R` + fingerprint + owner while its first request runs (10 s, then it is up for grabs: the fence in
PostgreSQL keeps a crashed first request from happening twice), and `D` + fingerprint + status + body for 24 h.
Without Redis everything still works, through the fence alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import secrets
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import orjson

from gateway_common.cache import Redis, translated_errors
from gateway_common.errors import (
    CacheUnavailableError,
    GatewayError,
    IdempotencyKeyInUseError,
    IdempotencyKeyReusedError,
    ValidationError,
)
from gateway_common.idempotency.fence import KEPT, Fence, StoredResponse
from gateway_common.logs import get_logger

log = get_logger(__name__)

RUNNING_SECONDS = 10
WAIT_SECONDS = 1.5
POLL_SECONDS = 0.03
_FINGERPRINT_BYTES = 32

# Replace our own claim, or an empty place (Redis was flushed meanwhile), but never another request's claim.
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class IdempotencyKeys:
    """`run` wraps a mutating request."""

    def __init__(self, redis: Redis, secret: str) -> None:
        """`secret` keys the fingerprint, so that a stored hash of a request with a card in it cannot be searched."""
        self._redis = redis
        self._fingerprint_key = hashlib.sha256(b"idempotency:" + secret.encode()).digest()
        self._release = redis.register_script(_RELEASE)
        self._process = secrets.token_bytes(8)
        self._numbers = itertools.count()

    def _new_owner(self) -> bytes:
        """Tells this claim from every other: of this process, and of all processes."""
        return self._process + next(self._numbers).to_bytes(8, "big")

    def fence(self, merchant_id: UUID, key: str, method: str, path: str, body: bytes) -> Fence:
        """Raises `ValidationError` unless the key has 1 to 255 printable characters."""
        if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
            raise ValidationError(
                "Idempotency-Key must have 1 to 255 printable characters", field="Idempotency-Key", reason="invalid_key"
            )
        digest = hashlib.blake2b(key=self._fingerprint_key, digest_size=_FINGERPRINT_BYTES)
        digest.update(f"{method}\n{path}\n".encode())
        digest.update(_canonical(body))
        return Fence(merchant_id, key, digest.digest())

    async def run(
        self,
        fence: Fence | None,
        work: Callable[[], Awaitable[StoredResponse]],
        render: Callable[[GatewayError], bytes],
    ) -> StoredResponse:
        """Do `work` once per key.

        Successes are kept, and refusals too, except validation, authentication, 5xx and whatever is marked retryable:
        those raise, and the key can be used again. `render` turns a refusal into its body.

        Raises:
            IdempotencyKeyReusedError: same key, other request.
            IdempotencyKeyInUseError: the first request is still running after a short wait.
        """
        if fence is None:
            return await work()
        name = f"idem:{{{fence.merchant_id}}}:{fence.key}"
        claim = b"R" + fence.fingerprint + self._new_owner()
        try:
            stored = await self._claim(name, claim, fence)
        except CacheUnavailableError:
            log.warning("idempotency.without_redis")
            return await work()
        if stored is not None:
            return stored
        try:
            response = await work()
        except GatewayError as error:
            if error.status >= 500 or error.retryable or error.status == 401 or isinstance(error, ValidationError):
                await self._let_go(name, claim)
                raise
            if isinstance(error, IdempotencyKeyReusedError):
                await self._let_go(name, claim)
                raise
            await self._store(name, fence, StoredResponse(error.status, render(error)))
            raise
        except BaseException:
            await self._let_go(name, claim)
            raise
        await self._store(name, fence, response)
        return response

    async def _claim(self, name: str, claim: bytes, fence: Fence) -> StoredResponse | None:
        """None when the claim is ours, otherwise the finished response of the first request."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            with translated_errors():
                held = await self._redis.set(name, claim, nx=True, get=True, ex=RUNNING_SECONDS)
            if not isinstance(held, bytes):
                return None
            if held[1 : 1 + _FINGERPRINT_BYTES] != fence.fingerprint:
                raise IdempotencyKeyReusedError
            if held[:1] == b"D":
                status = int.from_bytes(held[1 + _FINGERPRINT_BYTES : 3 + _FINGERPRINT_BYTES], "big")
                return StoredResponse(status, held[3 + _FINGERPRINT_BYTES :], is_replay=True)
            if time.monotonic() >= deadline:
                raise IdempotencyKeyInUseError
            await asyncio.sleep(POLL_SECONDS)

    async def _store(self, name: str, fence: Fence, response: StoredResponse) -> None:
        value = b"D" + fence.fingerprint + response.status.to_bytes(2, "big") + response.body
        try:
            with translated_errors():
                await self._redis.set(name, value, ex=int(KEPT.total_seconds()))
        except CacheUnavailableError:
            log.warning("idempotency.response_not_cached")

    async def _let_go(self, name: str, claim: bytes) -> None:
        try:
            with translated_errors():
                await self._release(keys=[name], args=[claim])
        except CacheUnavailableError:
            return


def _canonical(body: bytes) -> bytes:
    """Key order and white space do not make a different request."""
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
    except orjson.JSONDecodeError:
        return body
