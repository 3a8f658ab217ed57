"""Webhooks through the public origin: endpoints, filters, events, replay, and the merged document."""

from __future__ import annotations

import httpx
from tests.conftest import Merchant

from gateway_local.stack import Stack, wait_until


def test_a_second_endpoint_gets_what_its_filter_lets_through(merchant: Merchant) -> None:
    url = f"{str(merchant.receiver.base_url).rstrip('/')}/hooks/{merchant.id}"
    answer = merchant.api.post("/webhook-endpoints", json={"url": url, "events": ["payment.success"]})
    assert answer.status_code == 201, answer.text
    endpoint = answer.json()
    merchant.receiver.post("/_control/secrets", json={"secret": endpoint["secret"]})
    payment = merchant.settled(merchant.pay(vpa="success@upi")["id"])
    second = {"path": f"/hooks/{merchant.id}"}
    wait_until(lambda: len(merchant.webhooks()) == 3, what="all events at the default endpoint")
    wait_until(lambda: _received(merchant, second) == ["payment.success"], what="one event at the second")
    assert all(hook["verified"] for hook in merchant.webhooks())

    events = merchant.api.get("/events", params={"payment_id": payment["id"]}).json()["data"]
    assert {event["event"] for event in events} == {"payment.created", "payment.pending", "payment.success"}
    skipped = merchant.api.get("/webhooks", params={"status": "skipped"}).json()
    assert (skipped["total"], {row["endpoint_id"] for row in skipped["data"]}) == (2, {endpoint["id"]})
    assert merchant.api.get("/webhooks").json()["total"] == 4

    replay = merchant.api.post(
        "/webhooks/replay", json={"since": "2024-01-01T00:00:00Z", "endpoint_id": endpoint["id"]}
    )
    assert (replay.status_code, replay.json()["total"]) == (202, 1)
    wait_until(lambda: _received(merchant, second) == ["payment.success"] * 2, what="the replay")
    assert merchant.api.delete(f"/webhook-endpoints/{endpoint['id']}").json()["deleted"] is True


def test_the_merged_document_has_every_path(stack: Stack) -> None:
    paths = httpx.get(f"{stack.urls['origin']}/openapi.json").json()["paths"]
    for path in ("/webhooks", "/webhooks/config", "/webhooks/{delivery_id}/retry", "/webhook-endpoints", "/events"):
        assert any(known.endswith(path) for known in paths), path


def _received(merchant: Merchant, where: dict[str, str]) -> list[str]:
    found = merchant.receiver.get("/_control/received", params=where).json()["data"]
    return [item["headers"]["x-webhook-event"] for item in found]
