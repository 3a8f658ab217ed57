"""The checkout service by itself, for states and settings that a gateway in test mode never has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from tests.browser.checkout.serving import served

from checkout_cdn.bootstrap import make_app
from checkout_cdn.settings import CheckoutSettings

# Pages of this service ask an API at this address, which only Playwright's routes answer.
UNSERVED_API = "http://localhost:9/api/v1"


def an_order(order_id: str, **changes: Any) -> dict[str, Any]:
    """A body of `GET /orders/{id}/public`."""
    return {
        "id": order_id,
        "amount": 129_950,
        "currency": "INR",
        "status": "created",
        "merchant": {"name": "Chai & Books", "allowed_frame_origins": None},
        "test_mode": True,
        "multiple_payments": False,
        **changes,
    }


class Orders:
    """Plays payments-api: answers with the orders put in, 404 for others, and nothing while it is down."""

    def __init__(self) -> None:
        self._orders: dict[str, dict[str, Any]] = {}
        self.is_down = False

    def put(self, order: dict[str, Any]) -> None:
        self._orders[order["id"]] = order

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("down", request=request)
        order = self._orders.get(request.url.path.split("/")[-2])
        return httpx.Response(200, json=order) if order else httpx.Response(404, json={})


@contextmanager
def standalone_checkout(orders: Orders) -> Iterator[str]:
    """Yields the origin."""
    settings = CheckoutSettings(public_api_url=UNSERVED_API, payments_api_url="http://payments-api.test")
    with served(make_app(settings, httpx.MockTransport(orders.answer))) as port:
        yield f"http://localhost:{port}"
