"""The connection pool of the delivery client: pinned addresses, timed steps."""

from __future__ import annotations

import ssl
import time
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp.client import ClientTimeout
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from webhooks.delivery.resolver import VettedResolver
from webhooks.delivery.timings import current_timings

# Most servers close an idle connection after 5 s or more; ours must be the first to let go, or a request meets a closed one.
KEEP_ALIVE_SECONDS = 4.0


class _TimedContext(ssl.SSLContext):
    """Notes when the TLS handshake begins: asyncio and uvloop ask for the TLS object right after TCP has connected."""

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        current_timings.get().tls_started = time.perf_counter()
        return super().wrap_bio(*arguments, **named)


class PinnedConnector(aiohttp.TCPConnector):
    """Names are resolved by `VettedResolver` for each new connection and never again for it; an open one is reused."""

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 - aiohttp's own signature
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        timings = current_timings.get()
        timings.is_reused = timings.connect_ms is None
        if connection.transport is not None and (peer := connection.transport.get_extra_info("peername")):
            timings.address = peer[0]
        return connection


def make_connector(resolver: VettedResolver) -> PinnedConnector:
    """Certificates are verified against the system's authorities."""
    context = _TimedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return PinnedConnector(
        resolver=resolver, use_dns_cache=False, limit=0, ssl=context, keepalive_timeout=KEEP_ALIVE_SECONDS
    )


def trace_connections() -> aiohttp.TraceConfig:
    """Signals of new connections only: a reused one costs nothing."""
    trace = aiohttp.TraceConfig()

    async def started(_session: aiohttp.ClientSession, _context: SimpleNamespace, _parameters: object) -> None:
        current_timings.get().connect_started = time.perf_counter()

    async def ended(_session: aiohttp.ClientSession, _context: SimpleNamespace, _parameters: object) -> None:
        timings = current_timings.get()
        now = time.perf_counter()
        connected = now
        if timings.tls_started > timings.connect_started:
            timings.tls_ms = (now - timings.tls_started) * 1000
            connected = timings.tls_started
        timings.connect_ms = (connected - timings.connect_started) * 1000 - (timings.dns_ms or 0.0)

    trace.on_connection_create_start.append(started)
    trace.on_connection_create_end.append(ended)
    return trace
