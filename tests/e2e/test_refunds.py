"""Refunds against the whole gateway: right after the payment, in parallel, and next to capture and cancel."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import httpx
import pytest
from tests.conftest import Merchant

from gateway_local.stack import Stack

Json = dict[str, Any]


def refund(merchant: Merchant, payment_id: str, **body: Any) -> httpx.Response:
    return merchant.api.post(f"/payments/{payment_id}/refunds", json=body)


def paid(merchant: Merchant, amount: int = 50_000, **fields: Any) -> str:
    """The id of a payment that is seen as successful for the first time just now."""
    payment_id: str = merchant.pay(amount=amount, vpa="success@upi", **fields)["id"]
    deadline = time.monotonic() + 30
    while (status := merchant.payment(payment_id)["status"]) == "pending":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert status == "success"
    return payment_id


def finished(merchant: Merchant, refund_id: str) -> Json:
    deadline = time.monotonic() + 30
    while (found := merchant.api.get(f"/refunds/{refund_id}").json())["status"] == "pending":
        assert time.monotonic() < deadline, f"{refund_id} is still pending"
        time.sleep(0.05)
    done: Json = found
    return done


def in_parallel(work: Callable[[int], httpx.Response], times: int) -> list[httpx.Response]:
    with ThreadPoolExecutor(min(times, 32)) as pool:
        return list(pool.map(work, range(times)))


def refunded_by_the_bank(stack: Stack, payment_ids: Sequence[str]) -> dict[str, int]:
    """What the bank's own books say went back of each payment."""

    async def read() -> Iterable[asyncpg.Record]:
        connection = await asyncpg.connect(stack.status()["addresses"]["database_url"]["bank"])
        try:
            return await connection.fetch(
                "SELECT payment_id, sum(amount)::bigint AS total FROM operations"
                " WHERE kind = 'refund' AND outcome = 'succeeded' AND payment_id = ANY($1) GROUP BY payment_id",
                payment_ids,
            )
        finally:
            await connection.close()

    return {row["payment_id"]: row["total"] for row in asyncio.run(read())}


def test_a_refund_right_after_the_payment(merchant: Merchant) -> None:
    payment_id = paid(merchant)
    answer = merchant.api.post(
        f"/payments/{payment_id}/refunds", content='{"amount":25000,"reason":"Customer request"}'
    )

    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["status"], made["processed_at"], made["reason"]) == ("pending", None, "Customer request")
    done = finished(merchant, made["id"])
    assert done["status"] == "processed"
    assert done["processed_at"].endswith("Z")


def test_payment_timeline_and_webhooks_show_the_refund(merchant: Merchant) -> None:
    payment_id = paid(merchant)
    first = refund(merchant, payment_id, amount=20_000).json()
    finished(merchant, first["id"])
    wait(lambda: merchant.payment(payment_id)["refund_status"] == "partial")
    assert merchant.payment(payment_id)["amount_refunded"] == 20_000
    rest = refund(merchant, payment_id).json()
    assert rest["amount"] == 30_000
    finished(merchant, rest["id"])
    wait(lambda: merchant.payment(payment_id)["refund_status"] == "full")

    types = [entry["type"] for entry in merchant.api.get(f"/payments/{payment_id}/timeline").json()["entries"]]
    assert types.count("refund.created") == types.count("refund.processed") == 2
    assert types.count("bank.asked") == types.count("bank.answered") == 3

    def told() -> list[Json]:
        return [hook["event"] for hook in merchant.webhooks() if hook["event"]["event"].startswith("refund.")]

    wait(lambda: len(told()) == 4)
    in_order = sorted(told(), key=lambda event: int(event["sequence"]))
    assert [event["event"] for event in in_order] == ["refund.created", "refund.processed"] * 2
    assert in_order[1]["data"]["refund"]["processed_at"] is not None


def wait(is_true: Callable[[], bool], patience_s: float = 20) -> None:
    deadline = time.monotonic() + patience_s
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_failed_refund_gives_its_amount_back(merchant: Merchant) -> None:
    payment_id = paid(merchant, amount=2468)
    failed = finished(merchant, refund(merchant, payment_id).json()["id"])
    assert (failed["status"], failed["error_reason"], failed["processed_at"]) == ("failed", "refund_declined", None)
    assert refund(merchant, payment_id, amount=2467).status_code == 201
    assert merchant.payment(payment_id)["amount_refunded"] in (0, 2467)


def test_the_cap_holds_in_parallel_over_two_copies(stack: Stack, merchant: Merchant) -> None:
    stack.scale("refunds-web", 2)
    stack.scale("refunds-worker", 2)
    try:
        tenths, whole = paid(merchant), paid(merchant)
        answers = in_parallel(lambda _: refund(merchant, tenths, amount=5_000), 100)
        full = in_parallel(lambda _: refund(merchant, whole), 20)
        for answer in (*answers, *full):
            if answer.status_code == 201:
                assert finished(merchant, answer.json()["id"])["status"] == "processed"
    finally:
        stack.scale("refunds-web", 1)
        stack.scale("refunds-worker", 1)

    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [400] * 90
    assert sorted(answer.status_code for answer in full) == [201] + [400] * 19
    refusals = {answer.json()["error"]["reason"] for answer in answers if answer.status_code == 400}
    assert refusals == {"insufficient_refund_amount"}
    assert refunded_by_the_bank(stack, [tenths, whole]) == {tenths: 50_000, whole: 50_000}


def test_refundable_in_the_very_moment_of_success(merchant: Merchant) -> None:
    def one(_: int) -> int:
        return refund(merchant, paid(merchant), amount=100).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(one, range(500)))

    assert statuses == [201] * 500


def test_capture_and_cancel_meet_refunds(merchant: Merchant) -> None:
    captured = paid(merchant)
    assert refund(merchant, captured, amount=20_000).status_code == 201
    assert merchant.api.post(f"/payments/{captured}/capture", json={"amount": 30_001}).status_code == 400
    taken = merchant.api.post(f"/payments/{captured}/capture", json={"amount": 30_000})
    assert (taken.status_code, taken.json()["amount_captured"]) == (200, 30_000)
    assert refund(merchant, captured, amount=30_001).status_code == 400
    assert refund(merchant, captured, amount=30_000).status_code == 201

    partly = paid(merchant)
    assert merchant.api.post(f"/payments/{partly}/capture", json={"amount": 10_000}).status_code == 200
    assert refund(merchant, partly, amount=10_001).status_code == 400
    assert refund(merchant, partly).json()["amount"] == 10_000

    cancelled = paid(merchant)
    assert merchant.api.post(f"/payments/{cancelled}/cancel").status_code == 200
    refused = refund(merchant, cancelled, amount=1)
    assert (refused.status_code, refused.json()["detail"]) == (400, "Payment not in refundable state")


@pytest.mark.parametrize("rival", ["capture", "cancel"])
def test_refund_and_its_rival_at_the_same_time(stack: Stack, merchant: Merchant, rival: str) -> None:
    """Whoever comes first: what went back and what the merchant keeps never exceed what came in."""
    for _ in range(8):
        payment_id = paid(merchant)
        body = {"amount": 30_000} if rival == "capture" else {}

        def act(number: int, payment_id: str = payment_id, body: Json = body) -> httpx.Response:
            if number == 0:
                return merchant.api.post(f"/payments/{payment_id}/{rival}", json=body)
            return refund(merchant, payment_id, amount=10_000)

        settled, *refunds = in_parallel(act, 6)
        accepted = sum(10_000 for answer in refunds if answer.status_code == 201)
        for answer in refunds:
            if answer.status_code == 201:
                finished(merchant, answer.json()["id"])
        payment = merchant.payment(payment_id)
        assert accepted <= 50_000
        if settled.status_code == 200 and rival == "capture":
            # Of the refunds, at most 20,000 were released beforehand; the others came out of what was captured.
            assert payment["amount_captured"] == 30_000
        assert refunded_by_the_bank(stack, [payment_id]).get(payment_id, 0) == accepted
