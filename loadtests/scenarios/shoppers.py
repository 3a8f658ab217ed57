"""A shopper at checkout: sees the order, pays without keys, waits for the verdict by long poll."""

from __future__ import annotations

import random
import secrets

from locust import task
from locust.contrib.fasthttp import FastHttpUser

from loadtests.scenarios.environment import read

RUN = read()


class Shopper(FastHttpUser):
    weight = 1
    network_timeout = 35.0

    @task
    def check_out(self) -> None:
        order_id = random.choice(RUN.order_ids)
        with self.rest("GET", f"/api/v1/orders/{order_id}/public", name="order (public)"):
            pass
        body = {"order_id": order_id, "method": "upi", "vpa": "success@upi"}
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        with self.rest("POST", "/api/v1/payments/public", json=body, headers=headers, name="create (public)") as answer:
            if answer.status_code != 201:
                return
            payment_id, token = answer.js["id"], answer.js["client_token"]
        self.environment.accepted.append(payment_id)
        query = f"client_token={token}&wait=20"
        with self.rest("GET", f"/api/v1/payments/{payment_id}/public?{query}", name="wait (public)"):
            pass
