"""The built-in webhook receiver, over its public address."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx

from dashboard.seed import TEST_MERCHANT_ID

from .conftest import Running, form_token, sign_in

SECRET = b"whsec_test_abc123"
BODY = json.dumps({"event": "payment.success", "data": {"payment": {"id": "pay_1"}}}, separators=(",", ":"))


def _signed(body: str = BODY, **more: str) -> dict[str, str]:
    stamp = str(int(time.time()))
    standard = hmac.new(SECRET, f"evt_1.{stamp}.{body}".encode(), hashlib.sha256).digest()
    return {
        "X-Webhook-Signature": hmac.new(SECRET, body.encode(), hashlib.sha256).hexdigest(),
        "X-Webhook-Event": "payment.success",
        "X-Webhook-Id": "evt_1",
        "X-Webhook-Attempt": "1",
        "webhook-id": "evt_1",
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(standard).decode(),
    } | more


async def _address(running: Running) -> str:
    inspector = await running.app.state.wiring.inspections.inspector_of(TEST_MERCHANT_ID)
    return f"/inspector/{inspector.token}"


async def _received(running: Running) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await running.app.state.wiring.inspections.newest(TEST_MERCHANT_ID)
    return found


async def test_a_signed_webhook_is_verified_kept_and_shown(running: Running) -> None:
    sender, merchant = running.visitor(Accept="*/*"), running.visitor()
    assert (await sender.post(await _address(running), content=BODY, headers=_signed())).status_code == 200
    (one,) = await _received(running)
    assert one["is_verified"]
    assert (one["event"], one["payment_id"], one["attempt"], one["body"]) == ("payment.success", "pay_1", 1, BODY)
    await sign_in(merchant)
    page = await merchant.get("/dashboard/inspector")
    assert 'data-verified="true"' in page.text


async def test_what_is_not_signed_is_shown_as_that_and_harmless(running: Running) -> None:
    sender, merchant = running.visitor(Accept="*/*"), running.visitor()
    evil = "<script>alert(1)</script>\x00\ud83d".encode("utf-8", "surrogatepass")
    headers = {"X-Webhook-Event": "<img src=x>", "X-Webhook-Attempt": "9" * 50}
    assert (await sender.post(await _address(running), content=evil, headers=headers)).status_code == 200
    (one,) = await _received(running)
    assert not one["is_verified"]
    assert one["attempt"] is None
    await sign_in(merchant)
    page = await merchant.get("/dashboard/inspector")
    assert "<script>alert" not in page.text
    assert "<img src=x>" not in page.text


async def test_it_answers_as_told(running: Running) -> None:
    sender, merchant = running.visitor(Accept="*/*"), running.visitor()
    await sign_in(merchant)
    token = form_token(await merchant.get("/dashboard/inspector"))
    told = await merchant.post(
        "/dashboard/inspector/behaviour", data={"csrf_token": token, "answer": "503", "delay": "1000"}
    )
    assert told.status_code == 303
    started = time.monotonic()
    assert (await sender.post(await _address(running), content=BODY, headers=_signed())).status_code == 503
    assert time.monotonic() - started >= 1
    wrong = await merchant.post(
        "/dashboard/inspector/behaviour", data={"csrf_token": token, "answer": "302", "delay": "0"}
    )
    assert wrong.status_code == 400


async def test_it_keeps_the_last_hundred(running: Running) -> None:
    sender, address = running.visitor(Accept="*/*"), await _address(running)
    for number in range(130):
        await sender.post(address, content=BODY, headers=_signed(**{"X-Webhook-Id": f"evt_{number}"}))
    count = await running.app.state.wiring.database.fetch_value("SELECT count(*) FROM inspections")
    assert 100 <= count <= 120
    assert (await _received(running))[0]["event_id"] == "evt_129"


async def test_unknown_addresses_are_not_found_and_a_busy_one_says_so(running: Running) -> None:
    sender, address = running.visitor(Accept="*/*"), await _address(running)
    assert (await sender.post("/inspector/guess", content=BODY)).status_code == 404
    await running.app.state.wiring.inspections.behave(TEST_MERCHANT_ID, 200, 1000)
    answers: list[httpx.Response] = await asyncio.gather(*(sender.post(address, content=BODY) for _ in range(60)))
    assert sum(answer.status_code == 429 for answer in answers) == 10
