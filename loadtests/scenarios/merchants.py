"""A merchant's server: pays, asks for the verdict, captures, refunds, lists."""

from __future__ import annotations

import random
import secrets
import time
from typing import Any

import gevent
from locust import task
from locust.contrib.fasthttp import FastHttpUser

from loadtests.scenarios.environment import read

RUN = read()
POLL_SECONDS = 0.5
PATIENCE_SECONDS = 30.0
AMOUNT = 50_000


class MerchantServer(FastHttpUser):
    """Weights are those of a shop: most payments are captured, some given back, lists are looked at now and then."""

    weight = 4
    network_timeout = 15.0

    def pay(self, **body: Any) -> dict[str, Any] | None:
        """A new payment, noted for the auditor; None when it was refused (locust counts that as a failure)."""
        given = {"order_id": random.choice(RUN.order_ids), "method": "upi", "vpa": "success@upi"} | body
        headers = RUN.headers | {"Idempotency-Key": secrets.token_hex(16)}
        with self.rest("POST", "/api/v1/payments", json=given, headers=headers, name="create") as answer:
            if answer.status_code != 201:
                return None
            payment: dict[str, Any] = answer.js
        self.environment.accepted.append(payment["id"])
        return payment

    def verdict(self, payment_id: str) -> str:
        """Polls until the payment is terminal; `pending` when patience ran out."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            gevent.sleep(POLL_SECONDS)
            with self.rest("GET", f"/api/v1/payments/{payment_id}", headers=RUN.headers, name="poll") as answer:
                if answer.status_code == 200 and answer.js["status"] != "pending":
                    return str(answer.js["status"])
        return "pending"

    @task(6)
    def sell(self) -> None:
        payment = self.pay()
        if payment and self.verdict(payment["id"]) == "success":
            self._change(payment["id"], "capture", {})

    @task(2)
    def sell_and_refund(self) -> None:
        payment = self.pay()
        if payment and self.verdict(payment["id"]) == "success":
            for amount in (AMOUNT // 4, AMOUNT // 2):
                self._change(payment["id"], "refunds", {"amount": amount, "reason": "load test"})

    @task(1)
    def sell_by_card(self) -> None:
        self.pay(method="card", vpa=None)

    @task(2)
    def look_at_lists(self) -> None:
        for path, name in (("/payments?limit=50", "list"), ("/payments?status=success", "list, filtered")):
            with self.rest("GET", f"/api/v1{path}", headers=RUN.headers, name=name):
                pass

    def _change(self, payment_id: str, what: str, body: dict[str, Any]) -> None:
        headers = RUN.headers | {"Idempotency-Key": secrets.token_hex(16)}
        with self.rest("POST", f"/api/v1/payments/{payment_id}/{what}", json=body, headers=headers, name=what):
            pass
