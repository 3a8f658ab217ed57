"""The edge with real nginx in front of small services that say what reached them."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway_local import packages
from gateway_local.layout import CHECKOUT, Layout
from gateway_local.servers.edge import Edge

EVENT_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class Upstream:
    """An HTTP service that answers with its own name and the request as it arrived."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = free_port()
        self.requests: list[str] = []
        self.drops = False
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *rest = head.strip().split("\r\n")
                headers = {name.lower(): value for name, _, value in (part.partition(": ") for part in rest)}
                await reader.readexactly(int(headers.get("content-length", 0)))
                self.requests.append(line)
                if self.drops:
                    return
                if line.split(" ")[1].endswith("/stream"):
                    writer.write(EVENT_STREAM + b"9\r\ndata: 1\n\n\r\n")
                    await writer.drain()
                    await asyncio.sleep(5)
                    return
                body = json.dumps({"service": self.name, "line": line, "headers": headers}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Site:
    def __init__(self, edge: Edge, client: httpx.AsyncClient, upstreams: dict[str, Upstream]) -> None:
        self.edge = edge
        self.client = client
        self.upstreams = upstreams

    async def service_of(self, path: str, method: str = "GET") -> str:
        answer: dict[str, Any] = (await self.client.request(method, path)).json()
        return str(answer["service"])


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    packages.ensure({"nginx": packages.SERVERS["nginx"]})
    run = Path(tempfile.mkdtemp(prefix="gateway-edge-"))
    edge = Edge(Layout(root=CHECKOUT, run=run), free_port())
    names = {"PAYMENTS_API_SERVERS": "payments-api", "REFUNDS_SERVERS": "refunds", "WEBHOOKS_SERVERS": "webhooks"}
    upstreams = {name: Upstream(name) for name in names.values()}
    for upstream in upstreams.values():
        await upstream.start()
    edge.render({variable: [upstreams[name].port] for variable, name in names.items()})
    spec = edge.spec()
    process = await asyncio.create_subprocess_exec(*spec.argv, cwd=spec.cwd)
    try:
        while not await spec.probe():
            assert process.returncode is None
            await asyncio.sleep(0.02)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{edge.port}", timeout=10) as client:
            yield Site(edge, client, upstreams)
    finally:
        process.terminate()
        await process.wait()
        for upstream in upstreams.values():
            await upstream.stop()
        shutil.rmtree(run)


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/health", "payments-api"),
        ("/openapi.json", "payments-api"),
        ("/docs", "payments-api"),
        ("/api/v1/payments", "payments-api"),
        ("/api/v1/payments/pay_1234567890abcdef/timeline", "payments-api"),
        ("/api/v1/payments/pay_1234567890abcdef/refunds", "refunds"),
        ("/api/v1/refunds", "refunds"),
        ("/api/v1/refunds/rfnd_1234567890abcdef?x=1", "refunds"),
        ("/api/v1/webhooks", "webhooks"),
        ("/api/v1/webhooks/config", "webhooks"),
        ("/api/v1/webhook-endpoints/we_1", "webhooks"),
        ("/api/v1/events?limit=1", "webhooks"),
        ("/api/v1/nothing", "payments-api"),
        ("/anything", "payments-api"),
    ],
)
async def test_each_path_goes_to_the_service_that_owns_it(site: Site, path: str, owner: str) -> None:
    assert await site.service_of(path) == owner


@pytest.mark.parametrize(
    "path",
    ["/internal", "/internal/keys", "//internal/keys", "/x/../internal/keys", "/%69nternal/keys", "/metrics",
     "/livez", "/readyz"],
)  # fmt: skip
async def test_operators_endpoints_are_not_public(site: Site, path: str) -> None:
    answer = await site.client.get(httpx.URL(str(site.client.base_url)).copy_with(raw_path=path.encode()))
    assert answer.status_code == 404
    assert_problem(answer, "NOT_FOUND_ERROR")
    assert not any(upstream.requests for upstream in site.upstreams.values())


async def test_a_dead_service_is_a_503_to_try_again(site: Site) -> None:
    await site.upstreams["refunds"].stop()
    answer = await site.client.post("/api/v1/payments/pay_1/refunds", json={}, headers={"X-Request-Id": "abc-1"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert_problem(answer, "SERVICE_UNAVAILABLE", request_id="abc-1")
    assert await site.service_of("/api/v1/webhooks") == "webhooks"


async def test_a_service_that_came_back_is_used_at_once(site: Site) -> None:
    upstream = site.upstreams["refunds"]
    for _ in range(3):
        await upstream.stop()
        assert (await site.client.get("/api/v1/refunds")).status_code == 503
        await upstream.start()
        assert (await site.client.get("/api/v1/refunds")).status_code == 200


async def test_a_post_is_never_sent_twice(site: Site) -> None:
    first, second = site.upstreams["payments-api"], Upstream("payments-api-2")
    await second.start()
    first.drops = second.drops = True
    site.edge.render(
        {
            "PAYMENTS_API_SERVERS": [first.port, second.port],
            "REFUNDS_SERVERS": [site.upstreams["refunds"].port],
            "WEBHOOKS_SERVERS": [site.upstreams["webhooks"].port],
        }
    )
    await reload(site)
    try:
        answer = await site.client.post("/api/v1/payments", json={})
        assert answer.status_code == 503
        assert len(first.requests) + len(second.requests) == 1
    finally:
        await second.stop()


async def reload(site: Site) -> None:
    program = site.edge.spec().argv
    process = await asyncio.create_subprocess_exec(*program, "-s", "reload")
    assert await process.wait() == 0
    await asyncio.sleep(0.5)


async def test_an_oversized_body_is_refused_here_and_a_large_one_passes(site: Site) -> None:
    answer = await site.client.post("/api/v1/payments", content=b"x" * 200_000)
    assert answer.status_code == 413
    assert_problem(answer, "BAD_REQUEST_ERROR")
    assert (await site.client.post("/api/v1/payments", content=b"x" * 70_000)).status_code == 200


async def test_what_a_caller_claims_about_itself_is_not_passed_on(site: Site) -> None:
    claims = {"X-Forwarded-For": "8.8.8.8", "X-Request-Id": "bad id\x7f"}
    headers = (await site.client.get("/health", headers=claims)).json()["headers"]
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert len(headers["x-request-id"]) == 32
    passed = (await site.client.get("/health", headers={"X-Request-Id": "mine-1"})).json()["headers"]
    assert passed["x-request-id"] == "mine-1"


async def test_event_streams_arrive_as_they_are_written(site: Site) -> None:
    async def first_line() -> str:
        async with site.client.stream("GET", "/api/v1/payments/stream") as answer:
            async for line in answer.aiter_lines():
                return line
        return ""

    assert await asyncio.wait_for(first_line(), 2) == "data: 1"


@pytest.mark.parametrize(
    ("garbled", "status"),
    [
        (b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
        (b"GET /api/v1/orders/%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"400"),
        (b"GET /health HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"400"),
        (b"POST /health HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", b"400"),
    ],
)
async def test_a_garbled_request_gets_the_same_error_shape(site: Site, garbled: bytes, status: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.edge.port)
    writer.write(garbled)
    head, _, body = (await asyncio.wait_for(reader.read(), 5)).partition(b"\r\n\r\n")
    writer.close()
    assert head.split(b" ")[1] == status
    assert b"application/problem+json" in head
    assert b"nginx/" not in head
    assert json.loads(body)["error"]["code"] == "BAD_REQUEST_ERROR"


async def test_a_body_that_trickles_in_never_reaches_a_service(site: Site) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", site.edge.port)
    writer.write(b"POST /api/v1/payments HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{")
    await writer.drain()
    await asyncio.sleep(0.3)
    assert site.upstreams["payments-api"].requests == []
    writer.close()


def assert_problem(answer: httpx.Response, code: str, request_id: str | None = None) -> None:
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["error"]["code"] == code
    assert body["error"]["description"] == body["detail"]
    assert set(body) == {"type", "title", "status", "detail", "request_id", "error"}
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert request_id in (None, body["request_id"])
    assert answer.headers["Server"] == "nginx"
