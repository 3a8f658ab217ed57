"""The default endpoint, several endpoints, secrets, and who may see what."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from gateway_local.sandbox import Sandbox
from webhooks.bootstrap import make_sealer
from webhooks.seed import TEST_MERCHANT, TEST_SECRET, seed

from .conftest import CLOCK, MerchantServer, OpenShop, Shop, settings_of, wait_until


async def test_config_starts_without_url_and_with_a_secret(shop: Shop) -> None:
    first = (await shop.api.get("/api/v1/webhooks/config")).json()
    assert first["webhook_url"] is None
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", first["webhook_secret"])
    assert (await shop.api.get("/api/v1/webhooks/config")).json() == first
    changed = await shop.configure("http://127.0.0.1:8099/hooks")
    assert changed == {"webhook_url": "http://127.0.0.1:8099/hooks", "webhook_secret": first["webhook_secret"]}
    alias = await shop.api.put("/api/v1/webhooks/settings", json={"webhookUrl": None})
    assert alias.json() == first


async def test_many_first_requests_make_one_default_endpoint(shop: Shop) -> None:
    answers = await asyncio.gather(*(shop.api.get("/api/v1/webhooks/config") for _ in range(20)))
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "webhook_url"),
        ({"webhook_url": 5}, "webhook_url"),
        ({"webhook_url": "ftp://example.com"}, "webhook_url"),
        ({"webhook_url": "http://169.254.169.254/latest"}, "webhook_url"),
        ({"webhook_url": "http://user:secret@127.0.0.1/"}, "webhook_url"),
        ({"webhook_url": ""}, "webhook_url"),
    ],
)
async def test_a_bad_url_is_refused_and_named(shop: Shop, body: dict[str, Any], field: str) -> None:
    answer = await shop.api.put("/api/v1/webhooks/config", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "BAD_REQUEST_ERROR"
    assert answer.json()["error"]["field"] == field


async def test_credentials_are_needed(shop: Shop) -> None:
    answer = await shop.api.get("/api/v1/webhooks", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "AUTHENTICATION_ERROR"


async def test_after_a_rotation_both_secrets_verify_until_time_ends_the_old_one(
    shop: Shop, server: MerchantServer, database: asyncpg.Connection[Any]
) -> None:
    old = (await shop.configure(f"{server.url}/hooks"))["webhook_secret"]
    new = (await shop.api.post("/api/v1/webhooks/regenerate-secret")).json()["webhook_secret"]
    assert new != old
    await shop.emit()
    await wait_until(lambda: len(server.hits) == 1)
    for secret in (old, new):
        Webhook(secret).verify(server.hits[0].body, server.hits[0].headers)
    await database.execute(
        "UPDATE endpoint_secrets SET expires_at = $1 WHERE expires_at IS NOT NULL AND endpoint_id IN"
        " (SELECT id FROM endpoints WHERE merchant_id = $2)",
        CLOCK.now(),
        shop.merchant_id,
    )
    await shop.emit()
    await wait_until(lambda: len(server.hits) == 2)
    Webhook(new).verify(server.hits[1].body, server.hits[1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(server.hits[1].body, server.hits[1].headers)


async def test_an_idempotency_key_rotates_once(shop: Shop) -> None:
    headers = {"Idempotency-Key": "rotate-1"}
    answers = await asyncio.gather(
        *(shop.api.post("/api/v1/webhooks/regenerate-secret", headers=headers) for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["webhook_secret"] for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 4


async def test_secrets_are_sealed_at_rest(shop: Shop, database: asyncpg.Connection[Any]) -> None:
    secret = (await shop.configure("http://127.0.0.1:8099/"))["webhook_secret"]
    stored = await database.fetchval(
        "SELECT string_agg(sealed, ' ') FROM endpoint_secrets WHERE endpoint_id IN"
        " (SELECT id FROM endpoints WHERE merchant_id = $1)",
        shop.merchant_id,
    )
    assert secret not in stored
    assert secret.removeprefix("whsec_") not in stored


async def test_a_test_event_arrives(shop: Shop, server: MerchantServer) -> None:
    without = await shop.api.post("/api/v1/webhooks/test")
    assert (without.status_code, without.json()["error"]["reason"]) == (400, "webhook_url_missing")
    await shop.configure(f"{server.url}/hooks")
    answer = await shop.api.post("/api/v1/webhooks/test")
    assert answer.status_code == 200
    await wait_until(lambda: len(server.hits) == 1)
    assert server.hits[0].event["event"] == "webhook.test"
    await wait_until(lambda: _has_status(shop, "success"))
    assert (await shop.log())[0]["id"] == answer.json()["id"]


async def test_several_endpoints_each_with_filter_and_secret(shop: Shop, server: MerchantServer) -> None:
    made = []
    for name, events in (("all", None), ("refunds", ["refund.created"]), ("paid", ["payment.success"])):
        answer = await shop.api.post(
            "/api/v1/webhook-endpoints", json={"url": f"{server.url}/{name}", "events": events}
        )
        assert answer.status_code == 201
        made.append(answer.json())
    assert len({endpoint["secret"] for endpoint in made}) == 3
    assert all(re.fullmatch(r"we_[A-Za-z0-9]{16}", endpoint["id"]) for endpoint in made)
    event_id = await shop.emit("payment.success")
    await wait_until(lambda: len(server.hits) == 2)
    await asyncio.sleep(0.2)
    assert sorted(hit.path for hit in server.hits) == ["/all", "/paid"]
    for hit in server.hits:
        secret = next(endpoint["secret"] for endpoint in made if endpoint["url"].endswith(hit.path))
        Webhook(secret).verify(hit.body, hit.headers)
    (skipped,) = await shop.log(status="skipped")
    assert (skipped["endpoint_id"], skipped["reason"]) == (made[1]["id"], "filtered")
    assert len(await shop.log()) == 2  # what was filtered out is not in the way
    event = (await shop.api.get(f"/api/v1/events/{event_id}")).json()
    assert len(event["deliveries"]) == 3


async def test_a_disabled_endpoint_gets_nothing_and_pending_deliveries_stop(shop: Shop, server: MerchantServer) -> None:
    endpoint = (await shop.api.post("/api/v1/webhook-endpoints", json={"url": f"{server.url}/a"})).json()
    server.answer("/a", 500)
    await shop.emit()
    await wait_until(lambda: _has_attempts(shop))
    changed = await shop.api.patch(f"/api/v1/webhook-endpoints/{endpoint['id']}", json={"enabled": False})
    assert (changed.json()["enabled"], changed.json()["disabled_reason"]) == (False, "merchant")
    (row,) = await shop.log()
    assert (row["status"], row["reason"], row["next_retry_at"]) == ("cancelled", "endpoint_disabled", None)
    await shop.emit()
    await wait_until(lambda: _has_status(shop, "skipped", status="skipped"))
    assert (await shop.log(status="skipped"))[0]["reason"] == "endpoint_disabled"
    refused = await shop.api.post(f"/api/v1/webhooks/{row['id']}/retry")
    assert refused.status_code == 400
    await shop.api.patch(f"/api/v1/webhook-endpoints/{endpoint['id']}", json={"enabled": True})
    server.react.clear()
    assert (await shop.api.post(f"/api/v1/webhooks/{row['id']}/retry")).status_code == 200
    await wait_until(lambda: len(server.hits) == 2)


async def test_delete_stops_and_forgets(new_shop: OpenShop, server: MerchantServer) -> None:
    shop, other = new_shop(), new_shop()
    endpoint = (await shop.api.post("/api/v1/webhook-endpoints", json={"url": f"{server.url}/a"})).json()
    path = f"/api/v1/webhook-endpoints/{endpoint['id']}"
    for call in (other.api.get(path), other.api.delete(path), other.api.patch(path, json={"enabled": False})):
        assert (await call).status_code == 404
    assert (await shop.api.delete(path)).json() == {"id": endpoint["id"], "deleted": True}
    assert (await shop.api.get(path)).status_code == 404
    assert (await shop.api.delete(path)).status_code == 404
    assert (await shop.api.get("/api/v1/webhook-endpoints")).json()["data"] == []


async def test_endpoints_are_listed_by_cursor_and_limited(shop: Shop) -> None:
    made = await asyncio.gather(
        *(shop.api.post("/api/v1/webhook-endpoints", json={"url": f"http://127.0.0.1:8099/{n}"}) for n in range(35))
    )
    codes = [answer.status_code for answer in made]
    assert (codes.count(201), codes.count(400)) == (30, 5)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": 7} | ({"starting_after": cursor} if cursor else {})
        page = (await shop.api.get("/api/v1/webhook-endpoints", params=query)).json()
        seen += [endpoint["id"] for endpoint in page["data"]]
        assert "secret" not in page["data"][0]
        if not page["has_more"]:
            break
        cursor = page["next_cursor"]
    assert sorted(seen) == sorted(answer.json()["id"] for answer in made if answer.status_code == 201)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "http://[fe80::1]/"}, "url"),
        ({"url": "http://127.0.0.1:8099/", "events": ["payment.sucess"]}, "events.0"),
        ({"url": "http://127.0.0.1:8099/", "events": []}, "events"),
        ({"url": "http://127.0.0.1:8099/", "enabled": "yes"}, "enabled"),
        ({"url": "http://127.0.0.1:8099/", "schedule": "often"}, "schedule"),
        ({"url": "http://127.0.0.1:8099/", "description": "x" * 256}, "description"),
    ],
)
async def test_wrong_endpoints_are_refused(shop: Shop, body: dict[str, Any], field: str) -> None:
    answer = await shop.api.post("/api/v1/webhook-endpoints", json=body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


async def test_the_seed_is_the_published_secret_and_may_run_twice(
    sandbox: Sandbox, database: asyncpg.Connection[Any]
) -> None:
    settings = settings_of(sandbox)
    sealer = make_sealer(settings)
    for _ in range(2):
        await seed(sandbox.database_url("webhooks"), sealer)
    rows = await database.fetch(
        "SELECT e.id, e.url, s.sealed FROM endpoints e JOIN endpoint_secrets s ON s.endpoint_id = e.id"
        " WHERE merchant_id = $1",
        TEST_MERCHANT,
    )
    assert UUID("550e8400-e29b-41d4-a716-446655440000") == TEST_MERCHANT
    assert len(rows) == 1
    assert (rows[0]["url"], sealer.open(rows[0]["sealed"], rows[0]["id"])) == (None, TEST_SECRET)


async def test_private_targets_are_refused_where_they_are_not_allowed(run_service: Any) -> None:
    async with run_service(role="web", WEBHOOK_ALLOW_PRIVATE_TARGETS="false") as new_shop:
        shop = new_shop()
        for url in ("http://127.0.0.1:8099/", "http://localhost:8090/", "http://10.0.0.1/", "http://[::1]:8080/"):
            answer: httpx.Response = await shop.api.put("/api/v1/webhooks/config", json={"webhook_url": url})
            assert answer.status_code == 400, url
            assert answer.json()["error"]["reason"] == "webhook_url_refused"
        # A name that has no address yet may be saved: it is looked up and vetted at every attempt.
        await shop.configure("https://no-such-name.invalid/hooks")


async def _has_status(shop: Shop, wanted: str, **query: Any) -> bool:
    return wanted in await shop.statuses(**query)


async def _has_attempts(shop: Shop) -> bool:
    return any(row["attempts"] for row in await shop.log())
