"""What tests from outside share: a fresh merchant whose webhooks go to the built-in receiver."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from gateway_local import merchants
from gateway_local.stack import Stack

Json = dict[str, Any]
LAST = ("/tests/browser/dashboard/", "/tests/browser/checkout/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser last, and of that the checkout, whose times are measured: nothing runs beside it by then."""
    items.sort(key=lambda item: next((n for n, part in enumerate(LAST, 1) if part in item.path.as_posix()), 0))


@dataclass
class Merchant:
    """A merchant of the stack as its own server would act. `api` signs in and follows API.md; `hook` is its path there."""

    id: str
    api_key: str
    api_secret: str
    webhook_secret: str
    hook: str
    api: httpx.Client
    receiver: httpx.Client

    def pay(self, amount: int = 50_000, **fields: Any) -> Json:
        """Accept a payment on an ad-hoc order."""
        body = {
            "order_id": f"ref-{secrets.token_hex(8)}",
            "amount": amount,
            "method": "upi",
            "vpa": "user@paytm",
        } | fields
        answer = self.api.post("/payments", json=body)
        assert answer.status_code == 201, answer.text
        accepted: Json = answer.json()
        return accepted

    def payment(self, payment_id: str) -> Json:
        answer = self.api.get(f"/payments/{payment_id}")
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def settled(self, payment_id: str, patience_s: float = 20) -> Json:
        """The payment once it is no longer pending."""
        deadline = time.monotonic() + patience_s
        while (payment := self.payment(payment_id))["status"] == "pending":
            assert time.monotonic() < deadline, f"{payment_id} is still pending after {patience_s} s"
            time.sleep(0.05)
        return payment

    def webhooks(self) -> list[Json]:
        """Everything that arrived at this merchant's path: `{headers, body, event, verified, received_at}`."""
        answer = self.receiver.get("/_control/received", params={"path": self.hook, "limit": 20_000})
        return [item | {"event": json.loads(item["body"])} for item in answer.json()["data"]]

    def answer_webhooks_with(self, status: int, delay_ms: int = 0) -> None:
        self.receiver.post("/_control/behaviour", json={"path": self.hook, "status": status, "delay_ms": delay_ms})


@pytest.fixture
def new_merchant(stack: Stack) -> Iterator[Callable[[], Merchant]]:
    """Makes merchants, each with its own webhook path."""
    opened: list[httpx.Client] = []

    def make() -> Merchant:
        made = merchants.create(stack.installation, os.environ, "Test Shop", f"shop-{secrets.token_hex(6)}@example.com")
        api = merchants.client(stack.installation, made)
        receiver_url = stack.urls["receiver"].replace("localhost", "127.0.0.1")
        receiver = httpx.Client(base_url=receiver_url, timeout=10)
        opened.extend((api, receiver))
        hook = f"/hooks/{secrets.token_hex(8)}"
        configured = api.put("/webhooks/config", json={"webhook_url": receiver_url + hook})
        assert configured.status_code == 200, configured.text
        receiver.post("/_control/secrets", json={"secret": made["webhook_secret"]})
        return Merchant(made["id"], made["api_key"], made["api_secret"], made["webhook_secret"], hook, api, receiver)

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def merchant(new_merchant: Callable[[], Merchant]) -> Merchant:
    return new_merchant()
