"""Verdicts, captures, refunds and sweeping, as messages bring them: twice, late, out of order."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from gateway_common.broker.delivery import Delivery, MalformedMessageError
from gateway_common.clock import SystemClock
from gateway_common.events import RefundEvent, RefundSnapshot, encode
from gateway_common.outbox.nudge import OutboxNudge
from payments_api.consumers.refunds import RefundConsumer
from payments_api.sweeper import PendingSweeper

MERCHANT = UUID("550e8400-e29b-41d4-a716-446655440000")


async def test_success_and_failure(gateway: Any) -> None:
    good, bad = (await gateway.pay()).json()["id"], (await gateway.pay()).json()["id"]
    await gateway.decide(good)
    await gateway.decide(bad, reason="insufficient_funds")
    assert (await gateway.get(f"/payments/{good}"))["status"] == "success"
    failed = await gateway.get(f"/payments/{bad}")
    assert (failed["status"], failed["error_code"], failed["error_description"], failed["error_reason"]) == (
        "failed",
        "PAYMENT_FAILED",
        "Declined: insufficient_funds",
        "insufficient_funds",
    )
    assert [type_ for type_, _ in await gateway.events(bad)] == ["payment.created", "payment.pending", "payment.failed"]
    types, numbers = zip(*await gateway.events(good), strict=True)
    assert (types[-1], numbers) == ("payment.success", (1, 2, 3))


async def test_a_terminal_state_is_never_left(gateway: Any) -> None:
    payment_id = (await gateway.pay()).json()["id"]
    first, late = gateway.verdict(payment_id), gateway.verdict(payment_id, "payment_declined")
    await gateway.results.handle([first, late, first])
    await gateway.results.handle([late])
    await gateway.results.handle([first])
    assert (await gateway.get(f"/payments/{payment_id}"))["status"] == "success"
    assert len(await gateway.events(payment_id)) == 3


async def test_the_same_batch_twice_at_once_counts_once(gateway: Any) -> None:
    order = (await gateway.order(multiple_payments=True))["id"]
    payments = [answer.json()["id"] for answer in await asyncio.gather(*(gateway.pay(order) for _ in range(30)))]
    batch = [gateway.verdict(payment_id) for payment_id in payments]
    await asyncio.gather(*(gateway.results.handle(one) for one in (batch, batch[::-1], batch[:15], batch[15:])))
    found = await gateway.get(f"/orders/{order}")
    assert (found["amount_paid"], found["status"]) == (30 * 50000, "paid")
    sent = [len(await gateway.events(payment_id)) for payment_id in payments]
    assert sent == [3] * 30


async def test_unknown_payments_and_types(gateway: Any) -> None:
    await gateway.results.handle([gateway.verdict("pay_0000000000000000")])
    odd: Delivery = gateway.verdict("pay_0000000000000000")
    odd.type = "charge.considered"
    with pytest.raises(MalformedMessageError):
        await gateway.results.handle([odd])


async def test_automatic_capture(gateway: Any) -> None:
    payment_id = await gateway.paid(capture="automatic")
    payment = await gateway.get(f"/payments/{payment_id}")
    assert (payment["captured"], payment["amount_captured"]) == (True, 50000)
    assert (await gateway.events(payment_id))[2:] == [("payment.success", 3), ("payment.captured", 4)]
    assert (await gateway.api.post(f"/payments/{payment_id}/capture")).json()[
        "detail"
    ] == "Payment not in capturable state"
    assert (await gateway.api.post(f"/payments/{payment_id}/cancel")).status_code == 400


async def test_capture_in_part_and_once(gateway: Any) -> None:
    payment_id = await gateway.paid()
    path = f"/payments/{payment_id}/capture"
    assert (await gateway.api.post(path, json={"amount": 50001})).status_code == 400
    headers = {"Idempotency-Key": f"capture-{payment_id}"}
    first = await gateway.api.post(path, json={"amount": 20000}, headers=headers)
    assert (first.status_code, first.json()["captured"], first.json()["amount_captured"]) == (200, True, 20000)
    await gateway.using.redis.flushdb()
    again = await gateway.api.post(path, json={"amount": 20000}, headers=headers)
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert (await gateway.api.post(path)).status_code == 400
    assert (await gateway.events(payment_id))[-1] == ("payment.captured", 4)


async def test_capture_and_cancel_without_refunds(gateway: Any) -> None:
    payment_id = await gateway.paid()
    gateway.refunds.is_down = True
    for action in ("capture", "cancel"):
        answer = await gateway.api.post(f"/payments/{payment_id}/{action}")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert (await gateway.get(f"/payments/{payment_id}"))["captured"] is False
    gateway.refunds.is_down = False
    assert (await gateway.api.post(f"/payments/{payment_id}/cancel")).json()["status"] == "cancelled"
    assert (await gateway.events(payment_id))[-1] == ("payment.cancelled", 4)


@pytest.mark.parametrize("reason", [None, "payment_declined"])
async def test_pending_and_failed_payments_cannot_be_captured_or_cancelled(gateway: Any, reason: str | None) -> None:
    payment_id = (await gateway.pay()).json()["id"]
    if reason:
        await gateway.decide(payment_id, reason=reason)
    capture = await gateway.api.post(f"/payments/{payment_id}/capture")
    cancel = await gateway.api.post(f"/payments/{payment_id}/cancel")
    assert (capture.status_code, capture.json()["detail"]) == (400, "Payment not in capturable state")
    assert (cancel.status_code, cancel.json()["detail"]) == (400, "Payment not in cancellable state")


def refund(gateway: Any, payment_id: str, amount_refunded: int, version: int, sequence: int) -> Delivery:
    now = datetime.now(UTC)
    event = RefundEvent(
        merchant_id=MERCHANT,
        sequence=sequence,
        occurred_at=now,
        refund=RefundSnapshot(
            id="rfnd_0000000000000000",
            payment_id=payment_id,
            amount=1,
            currency="INR",
            reason=None,
            status="processed",
            created_at=now.isoformat(),
            processed_at=None,
        ),
        amount_refunded=amount_refunded,
        refund_version=version,
    )
    carrier: Delivery = gateway.verdict(payment_id)
    carrier.type, carrier.body = "refund.processed", encode(event).encode()
    return carrier


async def test_refund_sums_in_any_order(gateway: Any) -> None:
    payment_id = await gateway.paid()
    consumer = RefundConsumer(gateway.database, SystemClock())
    events = [refund(gateway, payment_id, amount, version, 3 + version) for version, amount in enumerate((0, 100, 300))]
    await consumer.handle(events[2:])
    await consumer.handle(events)
    await consumer.handle(events[:2][::-1])
    payment = await gateway.get(f"/payments/{payment_id}")
    assert (payment["amount_refunded"], payment["refund_status"]) == (300, "partial")
    assert (await gateway.api.post(f"/payments/{payment_id}/capture")).json()["amount_refunded"] == 300
    assert (await gateway.events(payment_id))[-1] == ("payment.captured", 6)
    await consumer.handle([refund(gateway, payment_id, 50000, 9, 9)])
    assert (await gateway.get(f"/payments/{payment_id}"))["refund_status"] == "full"


async def test_the_summary_agrees_with_the_payments(gateway: Any) -> None:
    headers = await gateway.other_merchant("summary@example.com")
    assert (await gateway.get("/payments/summary", headers=headers))["success_rate"] is None
    before = (await gateway.get("/payments/summary"))["totals"]
    kept, captured, cancelled = [await gateway.paid() for _ in range(3)]
    await gateway.decide((await gateway.pay()).json()["id"], reason="payment_declined")
    await gateway.pay()
    await gateway.api.post(f"/payments/{captured}/capture", json={"amount": 100})
    await gateway.api.post(f"/payments/{cancelled}/cancel")
    await RefundConsumer(gateway.database, SystemClock()).handle([refund(gateway, kept, 700, 1, 4)])
    summary = await gateway.get("/payments/summary", params={"interval": "hour"})
    grown = {name: value - before[name] for name, value in summary["totals"].items()}
    assert grown == {
        "count": 5,
        "success_count": 2,
        "failed_count": 1,
        "pending_count": 1,
        "cancelled_count": 1,
        "amount": 50100,
        "amount_refunded": 700,
    }
    assert sum(point["count"] for point in summary["series"]) == summary["totals"]["count"]


async def test_overdue_payments_are_sent_again_as_they_were(gateway: Any) -> None:
    await gateway.database.execute("UPDATE payments SET status = 'failed' WHERE status = 'pending'")
    payment_id = (await gateway.pay(notes={"b": 1, "a": 2})).json()["id"]
    await gateway.database.execute("UPDATE outbox SET sent_at = now()")

    async def created() -> list[Any]:
        rows: list[Any] = await gateway.database.fetch(
            "SELECT message_id, payload, created_at, request_id, sent_at FROM outbox"
            " WHERE event_type = 'payment.created' AND payload LIKE '%' || $1 || '%' ORDER BY id",
            payment_id,
        )
        return rows

    sweeper = PendingSweeper(
        gateway.database, OutboxNudge(gateway.database), SystemClock(), expected_seconds=0.3, max_age_seconds=3600
    )
    await sweeper.sweep()
    assert len(await created()) == 1
    await asyncio.sleep(0.4)
    await asyncio.gather(sweeper.sweep(), sweeper.sweep())
    first, again = await created()
    assert [*first.values()][:-1] == [*again.values()][:-1]
    assert orjson.loads(again["payload"])["sequence"] == 1
    await sweeper.sweep()
    assert len(await created()) == 2, "not before the pause is over, nor while the message is unsent"
    await gateway.database.execute("UPDATE outbox SET sent_at = now()")
    await asyncio.sleep(0.7)
    await sweeper.sweep()
    assert len(await created()) == 3
    await gateway.decide(payment_id)
    await gateway.database.execute("UPDATE outbox SET sent_at = now()")
    await gateway.database.execute("UPDATE payments SET redriven_at = $1", datetime.now(UTC) - timedelta(hours=1))
    await sweeper.sweep()
    assert len(await created()) == 3
