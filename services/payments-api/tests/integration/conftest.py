"""payments-api in this process, on real servers. The refunds service and the processor are played by the test."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import httpx
import orjson
import pytest
import structlog

from gateway_common.broker.delivery import Delivery
from gateway_common.clock import SystemClock
from gateway_common.database import Database
from gateway_common.events import ChargeResult, encode
from gateway_common.outbox.nudge import OutboxNudge
from gateway_local.fixtures import MakeSandbox
from gateway_local.sandbox import Sandbox
from payments_api import seed
from payments_api.bootstrap import build_app
from payments_api.consumers.results import ResultConsumer
from payments_api.dependencies import Dependencies
from payments_api.settings import Settings
from payments_api.use_cases.register_merchant import register_merchant

HEADERS = {"X-Api-Key": seed.API_KEY, "X-Api-Secret": seed.API_SECRET}
UPI = {"order_id": seed.ORDER_ID, "method": "upi", "vpa": "user@paytm"}
CARD = {
    "number": "4000 0566 5566 5556",
    "expiry_month": 12,
    "expiry_year": 2099,
    "cvv": "739",
    "holder_name": "Asha Rao",
}


class Refunds:
    """The refunds service as this one meets it: the first decision about a payment stays."""

    def __init__(self) -> None:
        self.decisions: dict[str, dict[str, Any]] = {}
        self.is_down = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("down")
        if not request.url.path.endswith("/settlement"):
            return httpx.Response(404)
        wanted = orjson.loads(request.content)
        captured = (wanted["capture_amount"] or wanted["amount"]) if wanted["kind"] == "capture" else 0
        decision = {"kind": wanted["kind"], "amount_captured": captured, "amount_refunded": 0}
        return httpx.Response(200, json=self.decisions.setdefault(request.url.path, decision))


@dataclass
class Gateway:
    """One running web process, and what a test wants of it."""

    api: httpx.AsyncClient
    using: Dependencies
    refunds: Refunds
    results: ResultConsumer = field(init=False)

    def __post_init__(self) -> None:
        self.results = ResultConsumer(self.using.database, OutboxNudge(self.using.database), SystemClock())

    @property
    def database(self) -> Database:
        return self.using.database

    async def order(self, **fields: Any) -> dict[str, Any]:
        answer = await self.api.post("/orders", json={"amount": 50000, **fields})
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def pay(self, order_id: str = seed.ORDER_ID, key: str | None = None, **fields: Any) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.api.post("/payments", json={**UPI, "order_id": order_id, **fields}, headers=headers)

    async def paid(self, order_id: str = seed.ORDER_ID, **fields: Any) -> str:
        """A successful payment's id."""
        payment_id: str = (await self.pay(order_id, **fields)).json()["id"]
        await self.decide(payment_id)
        return payment_id

    async def decide(self, *payment_ids: str, reason: str | None = None) -> None:
        """The bank's verdict, as the processor's message."""
        await self.results.handle([self.verdict(payment_id, reason) for payment_id in payment_ids])

    def verdict(self, payment_id: str, reason: str | None = None) -> Delivery:
        now = datetime.now(UTC)
        result = ChargeResult(
            merchant_id=seed.MERCHANT_ID,
            payment_id=payment_id,
            amount=50000,
            currency="INR",
            reason=reason,
            description=None if reason is None else f"Declined: {reason}",
            asked_at=now,
            answered_at=now,
        )
        return delivery("charge.succeeded" if reason is None else "charge.failed", encode(result).encode())

    async def get(self, path: str, **arguments: Any) -> dict[str, Any]:
        answer = await self.api.get(path, **arguments)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def events(self, payment_id: str) -> list[tuple[str, int]]:
        """Types and sequence numbers in the outbox, in order."""
        rows = await self.database.fetch(
            "SELECT event_type, payload::json->>'sequence' AS sequence FROM outbox"
            " WHERE payload::json->'payment'->>'id' = $1 ORDER BY id",
            payment_id,
        )
        return [(row["event_type"], int(row["sequence"])) for row in rows]

    async def other_merchant(self, email: str) -> dict[str, str]:
        """Credentials of a second merchant, as headers."""
        made = await register_merchant(self.database, datetime.now(UTC), "Other", email, is_test=True)
        assert made is not None
        return {"X-Api-Key": made.api_key, "X-Api-Secret": made.api_secret}


def delivery(type_: str, body: bytes, message_id: str = "evt_test") -> Delivery:
    properties = SimpleNamespace(
        message_id=message_id,
        message_type=type_,
        timestamp=datetime.now(UTC),
        headers={"x-request-id": "from-the-processor"},
    )
    message = SimpleNamespace(
        body=body, header=SimpleNamespace(properties=properties), channel=None, delivery_tag=1, routing_key=type_
    )
    return Delivery(cast("Any", message), lambda: None)


# A traceback that a test provokes takes seconds to render, and nobody reads it.
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

OpenGateway = Callable[..., AbstractAsyncContextManager[Gateway]]


@pytest.fixture(scope="module")
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    return make_sandbox("payments_api")


@pytest.fixture
def open_gateway(sandbox: Sandbox) -> OpenGateway:
    """Starts a web process with settings of its own; several may run at once."""

    @asynccontextmanager
    async def start(**overrides: str) -> AsyncIterator[Gateway]:
        environment = sandbox.environment("payments-api-web", RATE_LIMITS_ENABLED="false", PORT="8001")
        given = {name.lower(): value for name, value in (environment | overrides).items()}
        settings = Settings.model_validate({name: given[name] for name in Settings.model_fields if name in given})
        refunds = Refunds()
        app = build_app(settings, "web", transport=httpx.MockTransport(refunds.answer))
        async with app.router.lifespan_context(app):
            using: Dependencies = app.state.dependencies
            await seed.seed(using.database, datetime.now(UTC))
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway/api/v1", headers=HEADERS) as api:
                yield Gateway(api, using, refunds)

    return start


@pytest.fixture
async def gateway(open_gateway: OpenGateway) -> AsyncIterator[Gateway]:
    async with open_gateway() as running:
        yield running
