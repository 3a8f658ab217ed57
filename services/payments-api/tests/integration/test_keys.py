"""Merchants, their keys, and what other services may ask."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID

import pytest

from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.auth.remote_keys import key_from_json
from gateway_common.auth.secrets import secret_matches


async def test_a_new_pair_works_and_its_secret_is_kept_nowhere(gateway: Any) -> None:
    headers = {"Idempotency-Key": "rotate"}
    first = await gateway.api.post("/merchant/keys", headers=headers)
    again = await gateway.api.post("/merchant/keys", headers=headers)
    assert (first.status_code, first.content) == (201, again.content)
    pair = first.json()
    me = await gateway.get("/merchant", headers={"X-Api-Key": pair["api_key"], "X-Api-Secret": pair["api_secret"]})
    assert [key["id"] for key in me["keys"]].count(pair["id"]) == 1
    assert "secret" not in str(me)
    kept = await gateway.database.fetch(
        "SELECT key || encode(secret_hash, 'escape') || signing_key AS all FROM api_keys"
    )
    fences = await gateway.database.fetch("SELECT coalesce(body, '') AS all FROM idempotency_keys")
    assert not any(pair["api_secret"] in row["all"] for row in [*kept, *fences])
    for key in await gateway.using.redis.keys("*"):
        assert pair["api_secret"].encode() not in (await gateway.using.redis.get(key) or b"")


async def test_simultaneous_rotation_with_one_key_makes_one_pair(gateway: Any) -> None:
    before = len((await gateway.get("/merchant"))["keys"])
    headers = {"Idempotency-Key": "rotate-at-once"}
    answers = await asyncio.gather(*(gateway.api.post("/merchant/keys", headers=headers) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len((await gateway.get("/merchant"))["keys"]) == before + 1


async def test_a_revoked_key_stops_within_five_seconds(gateway: Any) -> None:
    pair = (await gateway.api.post("/merchant/keys")).json()
    headers = {"X-Api-Key": pair["api_key"], "X-Api-Secret": pair["api_secret"]}
    assert (await gateway.api.get("/merchant", headers=headers)).status_code == 200
    assert (await gateway.api.delete(f"/merchant/keys/{pair['id']}")).status_code == 200
    started = time.monotonic()
    while (await gateway.api.get("/merchant", headers=headers)).status_code == 200:
        assert time.monotonic() - started < 5
        await asyncio.sleep(0.1)
    assert (await gateway.api.delete(f"/merchant/keys/{pair['id']}")).status_code == 404


async def test_an_overlap_can_be_cut_short_but_not_stretched(gateway: Any) -> None:
    pair = (await gateway.api.post("/merchant/keys")).json()
    path = f"/merchant/keys/{pair['id']}"
    day = (await gateway.api.delete(path, params={"after_hours": 24})).json()["expires_at"]
    assert (await gateway.api.delete(path, params={"after_hours": 48})).json()["expires_at"] == day
    assert (await gateway.api.delete(path, params={"after_hours": 1})).json()["expires_at"] < day
    assert (await gateway.api.delete(path, params={"after_hours": -1})).status_code == 400
    other = await gateway.other_merchant("keys@example.com")
    assert (await gateway.api.delete(path, headers=other)).status_code == 404
    assert (await gateway.api.delete("/merchant/keys/nonsense")).status_code == 400


@pytest.fixture
def as_refunds(gateway: Any) -> dict[str, str]:
    secret = gateway.using.settings.internal_token_secret.get_secret_value()
    return InternalTokens(secret, "refunds", gateway.using.clock).headers("payments-api")


async def test_services_ask_for_keys_and_payments(gateway: Any, as_refunds: dict[str, str]) -> None:
    root = "http://gateway/internal/v1"
    found = key_from_json((await gateway.api.get(f"{root}/api-keys/key_test_abc123", headers=as_refunds)).content)
    assert found is not None
    assert secret_matches("secret_test_xyz789", found.secret_hash)
    for unknown in ("nobody", "%F0%9F%92%A9", "a%2Fb"):
        answer = await gateway.api.get(f"{root}/api-keys/{unknown}", headers=as_refunds)
        assert answer.content == b"null", (unknown, answer.text)
    payment_id = await gateway.paid()
    params = {"merchant_id": str(found.merchant_id)}
    answer = (await gateway.api.get(f"{root}/payments/{payment_id}", params=params, headers=as_refunds)).json()
    assert (answer["sequence"], answer["payment"]["status"]) == (3, "success")
    foreign = {"merchant_id": "00000000-0000-0000-0000-000000000000"}
    assert (
        await gateway.api.get(f"{root}/payments/{payment_id}", params=foreign, headers=as_refunds)
    ).status_code == 404
    assert (await gateway.api.get(f"{root}/api-keys/key_test_abc123")).status_code == 401


async def test_sign_up(gateway: Any, as_refunds: dict[str, str]) -> None:
    root = "http://gateway/internal/v1/merchants"
    body = {"name": "New", "email": "new@example.com"}
    answers = await asyncio.gather(*(gateway.api.post(root, json=body, headers=as_refunds) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    made = next(answer.json() for answer in answers if answer.status_code == 201)
    pair = {"X-Api-Key": made["api_key"], "X-Api-Secret": made["api_secret"]}
    assert (await gateway.get("/merchant", headers=pair))["email"] == "new@example.com"
    shown = (await gateway.api.get(f"{root}/{made['id']}", headers=as_refunds)).json()
    assert shown == {"id": made["id"], "name": "New", "email": "new@example.com"}


async def test_on_behalf_of_a_merchant(gateway: Any) -> None:
    secret = gateway.using.settings.internal_token_secret.get_secret_value()
    merchant = (await gateway.get("/merchant"))["id"]
    for name in ("X-Api-Key", "X-Api-Secret"):
        gateway.api.headers.pop(name)
    dashboard = InternalTokens(secret, "dashboard", gateway.using.clock)
    token = dashboard.headers("payments-api", UUID(merchant))
    assert (await gateway.get("/merchant", headers=token))["id"] == merchant
    assert (await gateway.api.get("/merchant", headers=dashboard.headers("payments-api"))).status_code == 401
