"""Rate limits that cost a request nothing most of the time.

Counters live in Redis (library `limits`), one per caller and window. Each process takes its share in small leases and
counts those down in memory, so that only every so many requests ask Redis. What a lease leaves over at the end of a
window is lost to the caller: at most `LEASE_SHARE` of the limit per process. Redis gone means no limit, not no service.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from limits import RateLimitItem, parse
from limits.aio.storage import RedisStorage
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway_common.auth.credentials import read_basic
from gateway_common.cache import Redis
from gateway_common.errors import RateLimitedError
from gateway_common.logs import get_logger
from gateway_common.settings import RateLimitSettings

log = get_logger(__name__)

LEASE_SHARE = 1 / 200
MAX_LEASE = 100
# After Redis has failed it is left alone for a moment, so that requests do not queue up behind its timeout.
SKIP_SECONDS = 1.0
REMEMBERED_CALLERS = 20_000

# Where the limiter leaves the headers in a request's scope.
_HEADERS = "gateway.rate_limit_headers"


@dataclass(slots=True)
class _Lease:
    """What this process may still spend in the window numbered `window`."""

    window: int = -1
    left: int = 0
    used_by_all: int = 0
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class RateLimit:
    """One limit, such as `6000/minute`, for callers of one kind."""

    def __init__(self, storage: RedisStorage, kind: str, limit: str) -> None:
        self._storage = storage
        self._kind = kind
        self._item: RateLimitItem = parse(limit)
        self._lease_size = max(1, min(MAX_LEASE, int(self._item.amount * LEASE_SHARE)))
        self._leases: dict[str, _Lease] = {}
        self._skip_until = 0.0

    async def spend(self, caller: str) -> dict[str, str]:
        """Take one request off the caller's limit; returns the `RateLimit-*` headers.

        Raises:
            RateLimitedError: nothing is left in this window.
        """
        now = time.time()
        window, elapsed = divmod(now, self._item.get_expiry())
        lease = self._lease_of(caller)
        if lease.window != window or lease.left == 0:
            async with lease.asking:
                if lease.window != window or (lease.left == 0 and lease.used_by_all < self._item.amount):
                    await self._ask(caller, lease, int(window))
        reset_seconds = max(1, int(self._item.get_expiry() - elapsed + 0.999))
        if lease.left == 0:
            headers = self._headers(0, reset_seconds)
            raise RateLimitedError(retry_after_seconds=reset_seconds, headers=headers)
        lease.left -= 1
        remaining = min(self._item.amount, self._item.amount - lease.used_by_all + lease.left)
        return self._headers(remaining, reset_seconds)

    def _headers(self, remaining: int, reset_seconds: int) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self._item.amount),
            "RateLimit-Remaining": str(remaining),
            "RateLimit-Reset": str(reset_seconds),
            "RateLimit-Policy": f"{self._item.amount};w={self._item.get_expiry()}",
        }

    def _lease_of(self, caller: str) -> _Lease:
        lease = self._leases.get(caller)
        if lease is None:
            if len(self._leases) >= REMEMBERED_CALLERS:
                self._leases.clear()
            lease = self._leases[caller] = _Lease()
        return lease

    async def _ask(self, caller: str, lease: _Lease, window: int) -> None:
        used = 0
        if time.monotonic() >= self._skip_until:
            key = f"{self._kind}/{self._item.amount}/{self._item.get_expiry()}/{caller}/{window}"
            try:
                used = await self._storage.incr(key, self._item.get_expiry(), self._lease_size)
            except (RedisError, OSError, TimeoutError):
                self._skip_until = time.monotonic() + SKIP_SECONDS
                log.warning("rate_limit.without_redis", kind=self._kind)
        lease.window = window
        if used == 0:
            lease.left, lease.used_by_all = self._lease_size, 0
            return
        used_before = used - self._lease_size
        lease.left = max(0, min(self._lease_size, self._item.amount - used_before))
        lease.used_by_all = min(used, self._item.amount)


class RateLimits:
    """Per key for merchants, over all services together; per address for the public checkout endpoints."""

    def __init__(self, redis: Redis, redis_url: str, settings: RateLimitSettings) -> None:
        self._per_key: RateLimit | None = None
        self._per_address: RateLimit | None = None
        if settings.rate_limits_enabled:
            storage = RedisStorage(
                f"async+{redis_url}",
                implementation="redispy",
                key_prefix="limit",
                connection_pool=redis.connection_pool,  # type: ignore[arg-type]  # documented, but not in the annotation
            )
            self._per_key = RateLimit(storage, "key", settings.rate_limit_per_key)
            self._per_address = RateLimit(storage, "address", settings.rate_limit_per_address)

    async def count_merchant(self, request: Request) -> None:
        """Count a request whose credentials were found right; a service's token is not limited.

        Raises:
            RateLimitedError: the key has used up its limit.
        """
        if self._per_key is None:
            return
        key = request.headers.get("x-api-key")
        if key is None and (basic := read_basic(request.headers.get("authorization", ""))):
            key, _ = basic
        if key is not None:
            request.scope[_HEADERS] = await self._per_key.spend(key)

    async def count_shopper(self, request: Request) -> None:
        """Count by network address, which the edge tells (uvicorn trusts it from `FORWARDED_ALLOW_IPS` only).

        Raises:
            RateLimitedError: the address has used up its limit.
        """
        if self._per_address is not None:
            address = "unknown" if request.client is None else request.client.host
            request.scope[_HEADERS] = await self._per_address.spend(address)


class RateLimitHeaders:
    """ASGI layer that adds what the limiter said, unless the answer carries it already (a 429 does)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start" and (known := scope.get(_HEADERS)):
                pairs = [(name.lower().encode(), value.encode()) for name, value in known.items()]
                message["headers"] = [*message["headers"], *pairs]
            await send(message)

        await self._app(scope, receive, send_with_limits if scope["type"] == "http" else send)
