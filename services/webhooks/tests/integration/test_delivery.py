"""From an event on the broker to a signed request, its log, and what follows a failure."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from typing import Any

import asyncpg
import razorpay
from standardwebhooks.webhooks import Webhook

from gateway_common.ids import new_event_id, new_payment_id

from .conftest import MerchantServer, OpenShop, Shop, wait_until


async def test_an_event_arrives_signed_both_ways(shop: Shop, server: MerchantServer) -> None:
    configured = await shop.configure(f"{server.url}/hooks/a")
    event_id = await shop.emit("payment.success", notes={"2": "b", "1": "a", "name": "é ✓"})
    await wait_until(lambda: len(server.hits) == 1)
    (hit,) = server.hits
    secret = configured["webhook_secret"]
    assert hit.headers["X-Webhook-Signature"] == hmac.new(secret.encode(), hit.body, hashlib.sha256).hexdigest()
    Webhook(secret).verify(hit.body, hit.headers)
    razorpay.Utility().verify_webhook_signature(hit.body.decode(), hit.headers["X-Webhook-Signature"], secret)
    assert (hit.headers["X-Webhook-Id"], hit.headers["webhook-id"]) == (event_id, event_id)
    assert hit.headers["X-Webhook-Event"] == "payment.success"
    assert hit.headers["X-Webhook-Attempt"] == "1"
    assert hit.headers["Content-Type"] == "application/json"
    assert hit.headers["User-Agent"].startswith("PaymentGateway-Webhooks/")
    assert list(hit.event) == ["event", "timestamp", "data", "id", "sequence"]
    assert b'"notes":{"1":"a","2":"b","name":"\xc3\xa9 \xe2\x9c\x93"}' in hit.body


async def test_the_log_tells_everything_about_an_attempt(shop: Shop, server: MerchantServer) -> None:
    await shop.configure(f"{server.url}/hooks/a")
    server.answer("/hooks/a", 201, {"Set-Cookie": "session=1", "X-Kind": "shop"})
    event_id = await shop.emit()
    await wait_until(lambda: _all_in(shop, "success"))
    (row,) = await shop.log()
    assert (row["event"], row["status"], row["attempts"], row["response_code"]) == (
        "payment.success",
        "success",
        1,
        201,
    )
    assert row["event_id"] == event_id
    assert row["next_retry_at"] is None
    detail = await shop.detail(row["id"])
    (attempt,) = detail["attempt_log"]
    assert detail["response_body"] == "answer 201"
    assert detail["payload"]["id"] == event_id
    assert attempt["number"] == 1
    assert attempt["address"] == "127.0.0.1"
    assert attempt["timings_ms"]["connect"] > 0
    assert attempt["timings_ms"]["first_byte"] > 0
    assert attempt["response_headers"]["X-Kind"] == "shop"
    assert attempt["response_headers"]["Set-Cookie"] == "[redacted]"
    assert detail["curl"].startswith("curl -X POST ")
    assert "X-Webhook-Signature" in detail["curl"]


async def test_the_same_event_twice_is_sent_once(shop: Shop, server: MerchantServer) -> None:
    await shop.configure(f"{server.url}/hooks/a")
    event_id, payment_id = new_event_id(), new_payment_id()
    moment = _now()
    await asyncio.gather(
        *(shop.emit(message_id=event_id, payment_id=payment_id, occurred_at=moment) for _ in range(20))
    )
    marker = await shop.emit()
    await wait_until(lambda: any(hit.event["id"] == marker for hit in server.hits))
    await asyncio.sleep(0.3)
    assert [hit.event["id"] for hit in server.hits].count(event_id) == 1


async def test_a_failure_is_tried_again_after_five_seconds_with_the_same_bytes(
    shop: Shop, server: MerchantServer
) -> None:
    await shop.configure(f"{server.url}/hooks/a")
    server.answer("/hooks/a", 500)
    await shop.emit()
    await wait_until(lambda: len(server.hits) == 1)
    await wait_until(lambda: _attempts(shop, 1))
    (row,) = await shop.log()
    assert (row["status"], row["response_code"]) == ("pending", 500)
    assert row["next_retry_at"] is not None
    server.react.clear()
    await wait_until(lambda: len(server.hits) == 2, patience_s=9)
    first, second = server.hits
    assert 4.9 < second.at - first.at < 7
    assert first.body == second.body
    assert second.headers["X-Webhook-Attempt"] == "2"
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    await wait_until(lambda: _all_in(shop, "success"))
    (row,) = await shop.log()
    assert row["attempts"] == 2


async def test_no_url_means_no_row(shop: Shop, server: MerchantServer, database: asyncpg.Connection[Any]) -> None:
    event_id = await shop.emit()
    await wait_until(lambda: _event_is_there(shop, event_id))
    assert await shop.log() == []
    assert await shop.log(status="skipped") == []


async def test_manual_retry_starts_again_from_zero(shop: Shop, server: MerchantServer) -> None:
    await shop.configure(f"{server.url}/hooks/a")
    server.answer("/hooks/a", 500)
    await shop.emit()
    await wait_until(lambda: _attempts(shop, 1))
    (row,) = await shop.log()
    server.react.clear()
    answer = await shop.api.post(f"/api/v1/webhooks/{row['id']}/retry")
    assert answer.status_code == 200
    assert answer.json() == {"id": row["id"], "status": "pending", "message": "Webhook retry scheduled"}
    await wait_until(lambda: len(server.hits) == 2, patience_s=3)
    assert server.hits[1].headers["X-Webhook-Attempt"] == "1"
    await wait_until(lambda: _all_in(shop, "success"))
    detail = await shop.detail(row["id"])
    assert detail["attempts"] == 1
    assert [(one["round"], one["number"]) for one in detail["attempt_log"]] == [(1, 1), (2, 1)]
    await asyncio.sleep(5.5)  # the first round's word in the delay queue finds nothing to do
    assert len(server.hits) == 2


async def test_events_that_clash_get_numbers_of_their_own(shop: Shop, server: MerchantServer) -> None:
    await shop.configure(f"{server.url}/hooks/a")
    payment_id = new_payment_id()
    await asyncio.gather(
        shop.emit("payment.captured", payment_id=payment_id, sequence=4),
        shop.emit_refund("refund.created", payment_id, 4),
        shop.emit_refund("refund.processed", payment_id, 5),
    )
    await wait_until(lambda: len(server.hits) == 3)
    assert sorted(hit.event["sequence"] for hit in server.hits) == [4, 5, 6]


async def test_a_foreign_delivery_is_not_found(new_shop: OpenShop, server: MerchantServer) -> None:
    mine, other = new_shop(), new_shop()
    await mine.configure(f"{server.url}/hooks/a")
    await mine.emit()
    await wait_until(lambda: _all_in(mine, "success"))
    (row,) = await mine.log()
    for answer in (
        await other.api.get(f"/api/v1/webhooks/{row['id']}"),
        await other.api.post(f"/api/v1/webhooks/{row['id']}/retry"),
        await mine.api.get("/api/v1/webhooks/not-a-uuid"),
    ):
        assert answer.status_code == 404
        assert answer.json()["error"]["description"] == "Webhook log not found"
    assert await other.log() == []


def _now() -> Any:
    from .conftest import CLOCK

    return CLOCK.now()


async def _all_in(shop: Shop, status: str) -> bool:
    statuses = await shop.statuses()
    return bool(statuses) and set(statuses) == {status}


async def _attempts(shop: Shop, count: int) -> bool:
    return any(row["attempts"] == count for row in await shop.log())


async def _event_is_there(shop: Shop, event_id: str) -> bool:
    return (await shop.api.get(f"/api/v1/events/{event_id}")).status_code == 200
