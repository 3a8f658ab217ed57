"""Servers that are gone or do not answer: what still works, what answers 503, and how soon."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

CARD = {"number": "4111111111111111", "expiry_month": 12, "expiry_year": 2099, "cvv": "123", "holder_name": "A"}


@dataclass
class Line:
    """A TCP line to a server that can be cut, or fall silent."""

    host: str
    port: int
    is_cut: bool = False
    is_silent: bool = False
    local_port: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.close()
            return
        self._writers.add(writer)
        with suppress(OSError):
            upstream_reader, upstream_writer = await asyncio.open_connection(self.host, self.port)
            self._writers.add(upstream_writer)
            await asyncio.gather(self._pump(reader, upstream_writer), self._pump(upstream_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                while self.is_silent:
                    await asyncio.sleep(0.02)
                writer.write(data)
                await writer.drain()
        writer.close()

    def cut(self) -> None:
        self.is_cut = True
        for writer in self._writers:
            writer.close()
        self._writers.clear()


@asynccontextmanager
async def a_line(url: str) -> AsyncIterator[tuple[Line, str]]:
    """The line, and the address that leads through it."""
    parts = urlsplit(url)
    line = Line(parts.hostname or "", parts.port or 0)
    server = await asyncio.start_server(line.connected, "127.0.0.1", 0)
    line.local_port = server.sockets[0].getsockname()[1]
    credentials = parts.netloc.rpartition("@")[0]
    try:
        yield line, urlunsplit(parts._replace(netloc=f"{credentials}@127.0.0.1:{line.local_port}"))
    finally:
        line.is_silent = False
        line.cut()
        server.close()


async def timed(work: Any) -> tuple[Any, float]:
    started = time.monotonic()
    return await work, time.monotonic() - started


@pytest.mark.parametrize("fault", ["cut", "silent"])
async def test_redis_is_gone(open_gateway: Any, sandbox: Any, fault: str) -> None:
    async with a_line(sandbox.redis_url) as (line, url), open_gateway(REDIS_URL=url) as gateway:
        before = await gateway.pay("redis-gone", key=f"before-{fault}", amount=500)
        line.cut() if fault == "cut" else setattr(line, "is_silent", True)
        plain, seconds = await timed(gateway.pay())
        assert (plain.status_code, seconds < 1) == (201, True)
        first, seconds = await timed(gateway.pay("redis-gone", key=f"during-{fault}", amount=500))
        assert (first.status_code, seconds < 1) == (201, True)
        again, seconds = await timed(gateway.pay("redis-gone", key=f"during-{fault}", amount=500))
        assert (again.content, seconds < 1) == (first.content, True)
        replayed, seconds = await timed(gateway.pay("redis-gone", key=f"before-{fault}", amount=500))
        assert (replayed.content, seconds < 1) == (before.content, True)
        card, seconds = await timed(gateway.pay(method="card", card=CARD))
        assert (card.status_code, card.json()["error"]["code"], seconds < 1) == (503, "SERVICE_UNAVAILABLE", True)
        assert card.headers["retry-after"] == "1"
        health = (await gateway.api.get("http://gateway/health")).json()
        assert (health["status"], health["redis"]) == ("healthy", "disconnected")
        line.is_cut = line.is_silent = False
        await asyncio.sleep(1.2)
        assert (await gateway.pay(method="card", card=CARD)).status_code == 201


@pytest.mark.parametrize("fault", ["cut", "silent"])
async def test_postgresql_is_gone(open_gateway: Any, sandbox: Any, fault: str) -> None:
    async with a_line(sandbox.database_url("payments")) as (line, url), open_gateway(DATABASE_URL=url) as gateway:
        assert (await gateway.pay()).status_code == 201
        line.cut() if fault == "cut" else setattr(line, "is_silent", True)
        requests = [
            gateway.pay(),
            gateway.pay(key=f"lost-{fault}"),
            gateway.api.get("/payments"),
            gateway.api.post("/orders", json={"amount": 100}),
            gateway.api.get("/orders/order_test_123/public"),
        ]
        answers, seconds = await timed(asyncio.gather(*requests))
        assert [answer.status_code for answer in answers] == [503] * 5
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
        assert seconds < 2
        health, seconds = await timed(gateway.api.get("http://gateway/health"))
        assert (health.status_code, health.json()["status"], seconds < 2.5) == (503, "unhealthy", True)
        line.is_cut = line.is_silent = False
        await asyncio.sleep(0.3)
        # The key of the request that failed is free again.
        assert (await gateway.pay(key=f"lost-{fault}")).status_code == 201
