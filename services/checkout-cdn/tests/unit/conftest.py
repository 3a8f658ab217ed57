"""The service's application with payments-api played by a function."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from checkout_cdn.bootstrap import make_app
from checkout_cdn.settings import CheckoutSettings

Answer = Callable[[httpx.Request], httpx.Response]


class PaymentsApi:
    """What `GET /orders/{id}/public` answers; `asked` are the requests it got."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.order: dict[str, Any] = {
            "id": "order_test_123",
            "amount": 50_000,
            "currency": "INR",
            "status": "created",
            "merchant": {"name": "Test Merchant", "allowed_frame_origins": None},
            "test_mode": True,
            "multiple_payments": False,
        }
        self.answer: Answer = lambda request: httpx.Response(200, json=self.order)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer(request)


@pytest.fixture
def payments_api() -> PaymentsApi:
    return PaymentsApi()


@pytest.fixture
async def client(payments_api: PaymentsApi) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app(CheckoutSettings(), httpx.MockTransport(payments_api.handle))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:3001") as client:
        yield client
