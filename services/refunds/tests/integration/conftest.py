"""A refunds service in this process, on real servers; payments-api and the bank's side are played by the test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import asyncpg
import httpx
import orjson
import pytest

from gateway_common.auth.credentials import ApiKey
from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.auth.remote_keys import key_to_json
from gateway_common.auth.secrets import hash_secret
from gateway_common.clock import SystemClock
from gateway_common.ids import new_event_id, new_payment_id
from gateway_common.logs import configure_logs
from gateway_local.fixtures import MakeSandbox
from gateway_local.sandbox import Sandbox
from refunds.bootstrap import Role, build_app
from refunds.settings import Settings

MERCHANT = UUID("550e8400-e29b-41d4-a716-446655440000")
OTHER_MERCHANT = uuid4()
KEYS = {"key_test_abc123": ("secret_test_xyz789", MERCHANT), "key_other": ("secret_other", OTHER_MERCHANT)}


class PaymentsApi:
    """payments-api as this service meets it: API keys and payments, over the internal endpoints."""

    def __init__(self, secret: str) -> None:
        self._tokens = InternalTokens(secret, "payments-api", SystemClock())
        self.payments: dict[str, dict[str, Any]] = {}
        self.is_down = False
        self.asked = 0

    def add(self, amount: int = 50_000, status: str = "success", **changes: Any) -> str:
        """A payment that no event has told of. Returns its id."""
        payment_id = new_payment_id()
        now = datetime.now(UTC).isoformat()
        self.payments[payment_id] = {
            "id": payment_id,
            "order_id": "order_test_123",
            "amount": amount,
            "currency": "INR",
            "method": "upi",
            "vpa": "user@paytm",
            "status": status,
            "captured": False,
            "amount_captured": 0,
            "amount_refunded": 0,
            "refund_status": None,
            "error_code": None,
            "error_description": None,
            "created_at": now,
            "updated_at": now,
            **changes,
        }
        return payment_id

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("down")
        self._tokens.verify(request.headers.get("authorization"))
        kind, name = request.url.path.removeprefix("/internal/v1/").split("/")
        if kind == "api-keys":
            secret, merchant = KEYS.get(name, ("", MERCHANT))
            found = ApiKey(name, merchant, hash_secret(secret)) if secret else None
            return httpx.Response(200, content=key_to_json(found))
        self.asked += 1
        payment = self.payments.get(name)
        if payment is None or request.url.params["merchant_id"] != str(MERCHANT):
            return httpx.Response(404)
        return httpx.Response(200, json={"merchant_id": str(MERCHANT), "sequence": 3, "payment": payment})


class Bank:
    """The processor's side of the broker: takes requests, and answers when told to."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self.requests: dict[str, dict[str, Any]] = {}
        self.deliveries: list[tuple[str, str]] = []
        self.events: list[tuple[str, dict[str, Any]]] = []

    async def listen(self) -> None:
        for name, take in (("processor.refunds", self._take_request), ("webhooks.plan", self._take_event)):
            queue = await self._channel.declare_queue(name, passive=True)
            await queue.purge()
            await queue.consume(take)

    async def _take_request(self, message: aio_pika.abc.AbstractIncomingMessage) -> None:
        body = orjson.loads(message.body)
        self.requests[body["refund_id"]] = body
        self.deliveries.append((body["refund_id"], message.message_id or ""))
        await message.ack()

    async def _take_event(self, message: aio_pika.abc.AbstractIncomingMessage) -> None:
        self.events.append((message.type or "", orjson.loads(message.body)))
        await message.ack()

    async def requested(self, refund_id: str, seconds: float = 5) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while refund_id not in self.requests:
            assert time.monotonic() < deadline, f"{refund_id} was not requested within {seconds} s"
            await asyncio.sleep(0.01)
        return self.requests[refund_id]

    async def answer(self, refund_id: str, *, reason: str | None = None) -> None:
        request = await self.requested(refund_id)
        now = datetime.now(UTC).isoformat()
        body = {
            "merchant_id": request["merchant_id"],
            "refund_id": refund_id,
            "payment_id": request["payment_id"],
            "asked_at": now,
            "answered_at": now,
        }
        if reason is not None:
            body |= {"reason": reason, "description": "The refund was declined by the shopper's bank"}
        await self.publish("processor", "refund.executed" if reason is None else "refund.declined", body)

    async def publish(self, exchange: str, routing_key: str, body: dict[str, Any]) -> None:
        message = aio_pika.Message(
            orjson.dumps(body), message_id=new_event_id(), type=routing_key, timestamp=datetime.now(UTC)
        )
        target = await self._channel.get_exchange(exchange, ensure=False)
        await target.publish(message, routing_key)

    def events_of(self, refund_id: str) -> list[str]:
        return [type_ for type_, body in self.events if body["refund"]["id"] == refund_id]


class Merchant:
    """Speaks to the public API."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def refund(
        self, payment_id: str, amount: int | None = None, *, key: str | None = None, **fields: Any
    ) -> httpx.Response:
        body = fields if amount is None else {"amount": amount, **fields}
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.http.post(f"/api/v1/payments/{payment_id}/refunds", json=body, headers=headers)

    async def get(self, refund_id: str) -> dict[str, Any]:
        response = await self.http.get(f"/api/v1/refunds/{refund_id}")
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    async def wait_for(self, refund_id: str, status: str, seconds: float = 5) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while (found := await self.get(refund_id))["status"] != status:
            assert time.monotonic() < deadline, f"{refund_id} is {found['status']} and not {status}"
            await asyncio.sleep(0.02)
        return found


class Service:
    """A running service and the doors to it."""

    def __init__(self, http: httpx.AsyncClient, other: httpx.AsyncClient, tokens: InternalTokens) -> None:
        self.merchant = Merchant(http)
        self.other_merchant = Merchant(other)
        self._tokens = tokens
        self._http = http

    async def settle(self, payment_id: str, kind: str, capture_amount: int | None = None, amount: int = 50_000) -> Any:
        body = {
            "merchant_id": str(MERCHANT),
            "sequence": 3,
            "amount": amount,
            "currency": "INR",
            "kind": kind,
            "capture_amount": capture_amount,
        }
        path = f"/internal/v1/payments/{payment_id}/settlement"
        return await self._http.post(path, json=body, headers=self._tokens.headers("refunds"))

    async def timeline(self, payment_id: str) -> Any:
        return await self._http.get(
            f"/internal/v1/payments/{payment_id}/timeline",
            params={"merchant_id": str(MERCHANT)},
            headers=self._tokens.headers("refunds"),
        )


Start = Callable[..., AbstractAsyncContextManager[Service]]


@pytest.fixture(scope="session", autouse=True)
def quiet_logs() -> None:
    configure_logs("refunds", "WARNING", "console")


@pytest.fixture(scope="module")
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    return make_sandbox("refunds")


@pytest.fixture
def settings(sandbox: Sandbox) -> Settings:
    environment = sandbox.environment("refunds-worker")
    known = {name.lower(): value for name, value in environment.items() if name.lower() in Settings.model_fields}
    return Settings.model_validate(known)


@pytest.fixture
def payments_api(settings: Settings) -> PaymentsApi:
    return PaymentsApi(settings.internal_token_secret.get_secret_value())


@pytest.fixture
async def bank(sandbox: Sandbox) -> AsyncIterator[Bank]:
    connection = await aio_pika.connect(sandbox.broker_url("operator"))
    async with connection:
        made = Bank(await connection.channel())
        await made.listen()
        yield made


@pytest.fixture
def start(settings: Settings, payments_api: PaymentsApi) -> Start:
    """`async with start() as service:` runs a copy of the service until the block ends."""

    @asynccontextmanager
    async def run(role: Role = "all", **overrides: Any) -> AsyncIterator[Service]:
        transport = httpx.MockTransport(payments_api.answer)
        app = build_app(settings.model_copy(update=overrides), role, payments_transport=transport)
        async with app.router.lifespan_context(app):
            pairs = [{"X-Api-Key": key, "X-Api-Secret": secret} for key, (secret, _) in KEYS.items()]
            door = httpx.ASGITransport(app)
            async with (
                httpx.AsyncClient(transport=door, base_url="http://refunds", headers=pairs[0]) as http,
                httpx.AsyncClient(transport=door, base_url="http://refunds", headers=pairs[1]) as other,
            ):
                secret = settings.internal_token_secret.get_secret_value()
                yield Service(http, other, InternalTokens(secret, "payments-api", SystemClock()))

    return run


@pytest.fixture
async def service(start: Start) -> AsyncIterator[Service]:
    async with start() as running:
        yield running


@pytest.fixture
def query(sandbox: Sandbox) -> Callable[..., Any]:
    async def run(sql: str, *arguments: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(sandbox.database_url("refunds"))
        try:
            return await connection.fetch(sql, *arguments)
        finally:
            await connection.close()

    return run
