"""Redis, with short timeouts and our errors: a request never waits long for a cache that is gone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway_common import redis_line
from gateway_common.errors import CacheUnavailableError

# API.md: with Redis stopped a request is answered within 1 s.
TIMEOUT_SECONDS = 0.4
# After a failure nobody asks for this long: a request makes several calls, and would wait the timeout for each.
PAUSE_SECONDS = 1.0

Redis = redis.Redis


class _PausingRedis(redis.Redis):
    """Fails at once for a moment after the server did not answer, then tries again.

    Common commands share one connection (`redis_line`); all others, and those over TLS, take one of the pool.
    """

    _paused_until = 0.0
    _line: redis_line.RedisLine | None = None

    def share_a_line(self) -> None:
        settings = self.connection_pool.connection_kwargs
        if self.connection_pool.connection_class is redis.Connection:
            self._line = redis_line.RedisLine(settings, TIMEOUT_SECONDS)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        if time.monotonic() < self._paused_until:
            raise redis.ConnectionError("Redis did not answer a moment ago")
        try:
            if self._line is not None and args[0] in redis_line.COMMANDS:
                answer = await self._line.execute(*args)
                callback = self.response_callbacks.get(args[0])
                options.pop("keys", None)  # for redis-py's own cache
                return answer if callback is None else callback(answer, **options)
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except (redis.ConnectionError, redis.TimeoutError, OSError, TimeoutError):
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            raise

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        if self._line is not None:
            self._line.close()
        await super().aclose(close_connection_pool)


def connect(url: str, *, max_connections: int = 64) -> Redis:
    """A client whose commands fail after 0.4 s; opens connections when first used. Values are bytes.

    With all connections in use a command waits for one, as long as it would wait for an answer.
    """
    pool = redis.BlockingConnectionPool.from_url(
        url,
        timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        max_connections=max_connections,
        # One immediate second try: after a restart of Redis every pooled connection is dead once. Not after a timeout.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        health_check_interval=0,
    )
    client = cast("_PausingRedis", _PausingRedis.from_pool(pool))
    client.share_a_line()
    return client


@contextmanager
def translated_errors() -> Iterator[None]:
    """Redis being gone becomes `CacheUnavailableError`."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise CacheUnavailableError from error


async def is_reachable(client: Redis) -> bool:
    try:
        return bool(await client.ping())
    except (RedisError, OSError, TimeoutError):
        return False
