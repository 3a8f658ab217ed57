"""One signed POST: timed, capped, not redirected. Every failure becomes a result; nothing is raised."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import aiohttp
from yarl import URL

from gateway_common.clock import Clock
from webhooks.delivery.connector import make_connector, trace_connections
from webhooks.delivery.resolver import VettedResolver
from webhooks.delivery.timings import Timings, current_timings
from webhooks.domain.redaction import redacted
from webhooks.domain.targets import TargetPolicy, TargetRefusedError

READ_LIMIT_BYTES = 64 * 1024
KEPT_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt. `error` is None exactly for 2xx."""

    started_at: datetime
    duration_ms: float
    timings: Timings
    response_code: int | None = None
    error: str | None = None
    response_headers: Mapping[str, str] | None = None
    response_body: str | None = None
    retry_after: str | None = None

    @property
    def is_success(self) -> bool:
        return self.error is None


class Sender:
    """A pool of connections to merchants' servers. `close` when done."""

    def __init__(self, policy: TargetPolicy, resolver: VettedResolver, clock: Clock, timeout_seconds: float) -> None:
        self._policy = policy
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._resolver = resolver
        self._session = aiohttp.ClientSession(
            connector=make_connector(resolver),
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trace_configs=[trace_connections()],
            skip_auto_headers=("Accept", "Accept-Encoding"),
        )

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """POST `body`; at most the timeout, from the name's look-up to the last byte of the answer."""
        started_at, started = self._clock.now(), time.perf_counter()
        timings = Timings()
        current_timings.set(timings)
        code: int | None = None
        error: str
        try:
            target = self._policy.check_url(url)
            async with asyncio.timeout(self._timeout_seconds):
                response = await self._post(target, headers, body, timings)
                async with response:
                    code = response.status
                    timings.first_byte_ms = (time.perf_counter() - started) * 1000
                    text = await _read(response)
        except (TargetRefusedError, TimeoutError, aiohttp.ClientError, OSError, ValueError) as failure:
            error = _describe(failure)
            return Answer(started_at, _since(started), timings, code, error)
        return Answer(
            started_at,
            _since(started),
            timings,
            code,
            None if 200 <= code < 300 else _describe_status(code),
            redacted(response.headers),
            text,
            response.headers.get("Retry-After"),
        )

    async def close(self) -> None:
        await self._session.close()
        await self._resolver.close()

    async def _post(
        self, target: URL, headers: Mapping[str, str], body: bytes, timings: Timings
    ) -> aiohttp.ClientResponse:
        try:
            return await self._session.post(target, data=body, headers=headers, allow_redirects=False)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            # A server may close an idle connection at the moment it is used again. That is no failure of the
            # attempt: say the same once more on a new one. Receivers tell repeats by X-Webhook-Id.
            if not timings.is_reused or timings.connect_ms is not None:
                raise
        return await self._session.post(
            target, data=body, headers={**headers, "Connection": "close"}, allow_redirects=False
        )


async def _read(response: aiohttp.ClientResponse) -> str:
    """The first 1000 characters; reads on to the end, but at most 64 KiB, so that the connection can be used again."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size >= READ_LIMIT_BYTES:
            response.close()
            break
    # PostgreSQL texts hold no NUL.
    return b"".join(parts)[: 4 * KEPT_CHARACTERS].decode("utf-8", "replace")[:KEPT_CHARACTERS].replace("\x00", "\ufffd")


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _describe_status(code: int) -> str:
    return f"HTTP {code}, and redirects are not followed" if 300 <= code < 400 else f"HTTP {code}"


def _describe(failure: BaseException) -> str:
    if isinstance(failure, TargetRefusedError):
        return f"target refused: {failure}"
    if isinstance(failure, TimeoutError):
        return "timeout"
    if isinstance(failure, (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError, ssl.SSLError)):
        return f"TLS failed: {failure}"[:300]
    if isinstance(failure, aiohttp.ClientConnectorDNSError):
        return "the host name was not found"
    if isinstance(failure, aiohttp.ClientConnectorError):
        return f"connection failed: {failure.strerror or failure}"[:300]
    if isinstance(failure, (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionError)):
        return "the connection was closed before an answer came"
    return f"the answer cannot be read: {type(failure).__name__}"
