"""The first things a new user does, against the running gateway."""

from __future__ import annotations

import itertools
import json
import shlex
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from tests.conftest import Merchant

from gateway_local.stack import Stack, wait_until

CURL_LINES = [
    'curl -X POST http://localhost:8000/api/v1/payments -H "X-Api-Key: key_test_abc123"'
    ' -H "X-Api-Secret: secret_test_xyz789" -H "Idempotency-Key: unique_123" -H "Content-Type: application/json"'
    """ -d '{"order_id":"order_test_123","method":"upi","vpa":"user@paytm"}'""",
    'curl -X POST http://localhost:8000/api/v1/payments -H "X-Api-Key: key_test_abc123"'
    ' -H "X-Api-Secret: secret_test_xyz789" -H "Content-Type: application/json"'
    """ -d '{"amount":1000,"currency":"INR","method":"card","order_id":"order_12345","vpa":"test@upi"}'""",
    'curl -X POST http://localhost:8000/api/v1/payments -H "X-Api-Key: key_test_abc123"'
    ' -H "X-Api-Secret: secret_test_xyz789" -H "Content-Type: application/json"'
    """ -d '{"amount":50000,"currency":"INR","method":"upi","order_id":"ord_test_001","vpa":"test@upi"}'""",
]


def curl(stack: Stack, line: str) -> dict[str, Any]:
    moved = line.replace("http://localhost:8000", stack.urls["origin"])
    done = subprocess.run([*shlex.split(moved), "--silent", "--show-error"], capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("line", CURL_LINES)
def test_the_curl_lines_make_payments(stack: Stack, line: str) -> None:
    payment = curl(stack, line)
    assert payment["status"] == "pending" or "Idempotency-Key" in line
    assert payment["id"].startswith("pay_")
    reading = f"curl {stack.urls['api']}/payments/{payment['id']} -u key_test_abc123:secret_test_xyz789"
    wait_until(lambda: curl(stack, reading)["status"] == "success", what="success")


def test_repeating_a_curl_line_with_a_key_gives_the_same_payment(stack: Stack) -> None:
    assert curl(stack, CURL_LINES[0]) == curl(stack, CURL_LINES[0])


def test_health_and_jobs_tell_what_is_running(stack: Stack) -> None:
    health = curl(stack, "curl http://localhost:8000/health")
    assert health.pop("timestamp").endswith("Z")
    assert health == {
        "status": "healthy",
        "database": "connected",
        "redis": "connected",
        "broker": "connected",
        "worker": "running",
    }
    jobs = curl(stack, "curl http://localhost:8000/api/v1/test/jobs/status")
    assert jobs["worker_status"] == "running"
    assert all(isinstance(jobs[name], int) for name in ("pending", "processing", "completed", "failed"))
    seeded = curl(stack, "curl http://localhost:8000/api/v1/test/merchant")
    assert seeded == {
        "id": "550e8400-e29b-41d4-a716-446655440000",
        "email": "test@example.com",
        "api_key": "key_test_abc123",
        "seeded": True,
    }


def test_a_payment_ends_as_a_verified_webhook(merchant: Merchant) -> None:
    order = merchant.api.post("/orders", json={"amount": 12_345, "notes": {"table": "7"}}).json()
    accepted = merchant.api.post(
        "/payments", json={"order_id": order["id"], "method": "upi", "vpa": "success@upi"}
    ).json()
    assert (accepted["status"], accepted["amount"], accepted["currency"]) == ("pending", 12_345, "INR")
    assert merchant.settled(accepted["id"])["status"] == "success"
    assert merchant.api.get(f"/orders/{order['id']}").json()["status"] == "paid"

    wait_until(lambda: len(merchant.webhooks()) == 3, what="three webhooks")
    hooks = sorted(merchant.webhooks(), key=lambda hook: hook["event"]["sequence"])
    assert [hook["event"]["event"] for hook in hooks] == ["payment.created", "payment.pending", "payment.success"]
    assert [hook["event"]["sequence"] for hook in hooks] == [1, 2, 3]
    assert all(hook["verified"] for hook in hooks)
    success = hooks[2]
    assert success["event"]["data"]["payment"]["id"] == accepted["id"]
    assert success["headers"]["x-webhook-id"] == success["event"]["id"] == success["headers"]["webhook-id"]
    assert success["headers"]["x-webhook-event"] == "payment.success"
    assert success["headers"]["x-webhook-attempt"] == "1"
    assert success["headers"]["user-agent"].startswith("PaymentGateway-Webhooks/")


def test_the_timeline_tells_the_whole_story_in_order(merchant: Merchant) -> None:
    accepted = merchant.pay(vpa="success@upi")
    merchant.settled(accepted["id"])
    wait_until(lambda: len(merchant.webhooks()) == 3, what="three webhooks")

    def services() -> set[str]:
        return {
            entry["service"] for entry in merchant.api.get(f"/payments/{accepted['id']}/timeline").json()["entries"]
        }

    wait_until(lambda: services() >= {"payments-api", "processor", "webhooks"}, what="all services' parts")
    entries = merchant.api.get(f"/payments/{accepted['id']}/timeline").json()["entries"]
    times = [entry["at"] for entry in entries]
    assert times == sorted(times)
    types = [entry["type"] for entry in entries]
    for earlier, later in (("bank.asked", "bank.answered"), ("bank.answered", "payment.success")):
        assert types.index(earlier) < types.index(later)


def test_fifty_simultaneous_posts_with_one_key_make_one_payment(stack: Stack, merchant: Merchant) -> None:
    body = {"order_id": "fifty", "amount": 5000, "method": "upi", "vpa": "user@paytm"}

    def post(number: int) -> httpx.Response:
        if number == 25:
            flush_redis(stack)
        return merchant.api.post("/payments", json=body, headers={"Idempotency-Key": "fifty"})

    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(post, range(50)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.content for answer in made}) == 1
    assert len(merchant.api.get("/payments?order_id=fifty").json()["data"]) == 1


def flush_redis(stack: Stack) -> None:
    url = stack.status()["addresses"]["redis_url"]
    subprocess.run(["redis-cli", "-u", url, "FLUSHALL"], check=True, capture_output=True)


def test_a_receiver_that_always_fails_sees_five_attempts_and_a_retry_starts_again(merchant: Merchant) -> None:
    merchant.answer_webhooks_with(500)
    merchant.api.post("/webhooks/test")
    wait_until(lambda: len(merchant.webhooks()) == 5, 65, 0.5, "five attempts")
    hooks = merchant.webhooks()
    gaps = [later["received_at"] - earlier["received_at"] for earlier, later in itertools.pairwise(hooks)]
    for gap, wanted in zip(gaps, (5, 10, 15, 20), strict=True):
        assert wanted - 0.5 <= gap <= wanted + 2
    assert [hook["headers"]["x-webhook-attempt"] for hook in hooks] == ["1", "2", "3", "4", "5"]
    assert len({(hook["body"], hook["headers"]["x-webhook-id"]) for hook in hooks}) == 1

    def logged() -> dict[str, Any]:
        log: dict[str, Any] = merchant.api.get("/webhooks").json()["data"][0]
        return log

    wait_until(lambda: logged()["status"] == "failed", what="failed")
    assert (logged()["attempts"], logged()["response_code"], logged()["next_retry_at"]) == (5, 500, None)
    time.sleep(1)
    assert len(merchant.webhooks()) == 5

    merchant.answer_webhooks_with(200)
    answer = merchant.api.post(f"/webhooks/{logged()['id']}/retry")
    assert answer.json() == {"id": logged()["id"], "status": "pending", "message": "Webhook retry scheduled"}
    wait_until(lambda: logged()["status"] == "success", what="success after the retry")
    assert logged()["attempts"] == 1
