"""The dashboard on real PostgreSQL and RabbitMQ; the other services are a stand-in that answers nothing but merchants."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from dashboard.bootstrap import build_app
from dashboard.seed import TEST_EMAIL, TEST_MERCHANT_ID, TEST_PASSWORD, seed
from dashboard.settings import Settings
from gateway_common.clock import FixedClock
from gateway_local.fixtures import MakeSandbox
from gateway_local.sandbox import Sandbox

ORIGIN = "http://dashboard.test"


@pytest.fixture(scope="module")
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    return make_sandbox("dashboard")


def _answer(request: httpx.Request) -> httpx.Response:
    """Whatever is asked of the other services in these tests."""
    if request.url.path == "/api/v1/merchant":
        return httpx.Response(200, json={"id": str(TEST_MERCHANT_ID), "name": "Test Merchant", "keys": []})
    if request.url.path == "/api/v1/webhooks/config":
        return httpx.Response(200, json={"webhook_url": None, "webhook_secret": "whsec_test_abc123"})
    if request.url.path == "/api/v1/webhook-endpoints":
        return httpx.Response(200, json={"data": [], "has_more": False, "next_cursor": None})
    return httpx.Response(503, json={"error": {"code": "SERVICE_UNAVAILABLE", "description": "not here"}})


@dataclass
class Running:
    app: FastAPI
    clock: FixedClock
    visitor: Callable[..., httpx.AsyncClient]


@pytest.fixture
async def running(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    for name, value in sandbox.environment("dashboard", DASHBOARD_PUBLIC_URL=ORIGIN).items():
        monkeypatch.setenv(name, value)
    clock = FixedClock(datetime.now(UTC))
    app = build_app(Settings(), clock=clock, transport=httpx.MockTransport(_answer))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        await app.state.wiring.database.execute("TRUNCATE users, sessions, sign_in_limits, inspectors, inspections")
        await seed(app.state.wiring.database)
        clients: list[httpx.AsyncClient] = []

        def visitor(address: str = "192.0.2.1", **headers: str) -> httpx.AsyncClient:
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(app, client=(address, 1)),
                base_url=ORIGIN,
                headers={"Accept": "text/html", **headers},
            )
            clients.append(client)
            return client

        yield Running(app, clock, visitor)
        for client in clients:
            await client.aclose()


def form_token(page: httpx.Response) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page.text)
    assert found, page.text[:500]
    return found[1]


async def sign_in(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    """Fill in and send the form as a browser does."""
    token = form_token(await client.get("/login"))
    data = {"csrf_token": token, "email": TEST_EMAIL, "password": TEST_PASSWORD} | fields
    return await client.post("/login", data=data, headers={"Origin": ORIGIN})
