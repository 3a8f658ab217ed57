"""4,000 deliveries wait in the broker's delay queues when it is killed, and then loses its data: nothing is lost."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from pathlib import Path

import orjson
from tests.conftest import Merchant

from gateway_common.broker.batches import Outgoing
from gateway_common.broker.publisher import Publisher
from gateway_common.broker.topology import Exchange
from gateway_common.clock import SystemClock, to_iso
from gateway_common.ids import new_event_id, new_payment_id
from gateway_local.stack import Stack, wait_until

DELIVERIES = 4_000
MOST_DUPLICATES = DELIVERIES * 0.005


def test_deliveries_in_delay_queues_survive_their_broker(stack: Stack, merchant: Merchant) -> None:
    data = Path(stack.status()["servers"]["rabbitmq"]["data_dir"])
    merchant.answer_webhooks_with(500)
    asyncio.run(_emit(stack, merchant))
    wait_until(lambda: len(_arrived(merchant)) == DELIVERIES, 90, 0.5, "every first attempt")
    try:
        pid = stack.kill("rabbitmq")
        stack.wait_healthy("rabbitmq", not_pid=pid)
        stack.hold("rabbitmq")
        shutil.rmtree(data)
        stack.release("rabbitmq")
        merchant.answer_webhooks_with(200)
        wait_until(lambda: _total(merchant, "success") == DELIVERIES, 90, 1, "every delivery")
    finally:
        stack.wait_healthy()
    assert _total(merchant, "pending") == _total(merchant, "failed") == 0
    repeated = sum(count - 1 for count in _attempts(merchant).values())
    assert repeated <= MOST_DUPLICATES, f"{repeated} attempts were made twice"


async def _emit(stack: Stack, merchant: Merchant) -> None:
    """As payments-api would, without the payments."""
    publisher = Publisher(stack.installation.rabbitmq.url("payments"), Exchange.PAYMENTS, "test")
    now = SystemClock().now()
    payment = {
        "id": new_payment_id(),
        "order_id": "order_test_123",
        "amount": 1000,
        "currency": "INR",
        "method": "upi",
        "vpa": "user@paytm",
        "status": "success",
        "captured": False,
        "amount_captured": 0,
        "amount_refunded": 0,
        "refund_status": None,
        "error_code": None,
        "error_description": None,
        "created_at": to_iso(now),
        "updated_at": to_iso(now),
    }
    body = {"merchant_id": merchant.id, "sequence": 3, "occurred_at": now.isoformat(), "payment": payment}
    messages = [Outgoing("payment.success", orjson.dumps(body), new_event_id(), now) for _ in range(DELIVERIES)]
    for start in range(0, DELIVERIES, 500):
        assert all(await publisher.publish_all(messages[start : start + 500]))
    await publisher.close()


def _attempts(merchant: Merchant) -> Counter[tuple[str, str]]:
    return Counter(
        (hook["headers"]["x-webhook-id"], hook["headers"]["x-webhook-attempt"]) for hook in merchant.webhooks()
    )


def _arrived(merchant: Merchant) -> set[str]:
    return {hook["headers"]["x-webhook-id"] for hook in merchant.webhooks()}


def _total(merchant: Merchant, status: str) -> int:
    return int(merchant.api.get("/webhooks", params={"status": status, "limit": 1}).json()["total"])
