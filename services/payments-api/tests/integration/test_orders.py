"""Orders: create, read, list, and what others may see of them."""

from __future__ import annotations

import re
from typing import Any

import pytest

ORDER_FIELDS = [
    "id", "merchant_id", "amount", "amount_paid", "currency", "receipt", "notes", "status", "multiple_payments",
    "created_at", "updated_at",
]  # fmt: skip


async def test_a_new_order(gateway: Any) -> None:
    answer = await gateway.api.post("/orders", json={"amount": 100, "receipt": "r-1", "notes": {"b": 1.0, "a": [None]}})
    order = answer.json()
    assert answer.status_code == 201
    assert list(order) == ORDER_FIELDS
    assert re.fullmatch(r"order_[A-Za-z0-9]{16}", order["id"])
    assert (order["amount"], order["amount_paid"], order["currency"], order["status"]) == (100, 0, "INR", "created")
    assert list(order["notes"]) == ["b", "a"]
    assert await gateway.get(f"/orders/{order['id']}") == order
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", order["created_at"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", None),
        (b"[]", None),
        (b"{", None),
        (b'{"amount": NaN}', None),
        (b'{"amount": 99}', "amount"),
        (b'{"amount": 100.0}', "amount"),
        (b'{"amount": 100000000000000000000000000000000}', "amount"),
        (b'{"amount": 100, "receipt": "a\\u0000b"}', "receipt"),
        (b'{"amount": 100, "receipt": "\\ud800"}', None),
        (b'{"amount": 100, "notes": {"a\\u0000": 1}}', "notes"),
        (b'{"amount": 100, "notes": {"a": 9007199254740992}}', "notes"),
        (b'{"amount": 100, "notes": {"": 1}}', "notes"),
        (b'{"amount": 100, "notes": ' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}", "notes"),
        (b"\xff\xfe", None),
    ],
)
async def test_what_is_no_order(gateway: Any, body: bytes, field: str | None) -> None:
    answer = await gateway.api.post("/orders", content=body)
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert problem["error"].get("field") == field
    assert problem["detail"] == problem["error"]["description"]
    assert problem["request_id"] == answer.headers["x-request-id"]


async def test_a_body_over_the_limit(gateway: Any) -> None:
    answer = await gateway.api.post("/orders", content=b'{"amount": 100, "receipt": "' + b"x" * 65536 + b'"}')
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Api-Key": "key_test_abc123"},
        {"X-Api-Key": "key_test_abc123", "X-Api-Secret": "wrong"},
        {"X-Api-Key": "nobody", "X-Api-Secret": "secret_test_xyz789"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic AAAA"},
        {"Authorization": "Bearer x.y.z"},
    ],
)
async def test_without_the_right_credentials(gateway: Any, headers: dict[str, str]) -> None:
    gateway.api.headers.pop("X-Api-Key")
    gateway.api.headers.pop("X-Api-Secret")
    for answer in (
        await gateway.api.post("/orders", json={"amount": 100}, headers=headers),
        await gateway.api.get("/payments", headers=headers),
    ):
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "AUTHENTICATION_ERROR"
        assert answer.json()["detail"] == "Invalid API credentials"


async def test_http_basic(gateway: Any) -> None:
    gateway.api.headers.pop("X-Api-Key")
    gateway.api.headers.pop("X-Api-Secret")
    answer = await gateway.api.get("/orders/order_test_123", auth=("key_test_abc123", "secret_test_xyz789"))
    assert answer.status_code == 200


async def test_a_foreign_order_does_not_exist(gateway: Any) -> None:
    order = await gateway.order()
    other = await gateway.other_merchant("foreign-orders@example.com")
    assert (await gateway.api.get(f"/orders/{order['id']}", headers=other)).status_code == 404
    answer = await gateway.api.post(
        "/payments", json={"order_id": order["id"], "method": "upi", "vpa": "a@b"}, headers=other
    )
    assert (answer.status_code, answer.json()["detail"]) == (404, "Order not found")


@pytest.mark.parametrize("order_id", ["order_nope", "x" * 300, "%F0%9F%92%A9", "..%2f"])
async def test_unknown_orders(gateway: Any, order_id: str) -> None:
    assert (await gateway.api.get(f"/orders/{order_id}")).status_code == 404
    assert (await gateway.api.get(f"/orders/{order_id}/public")).status_code == 404


async def test_what_the_public_sees(gateway: Any) -> None:
    answer = await gateway.api.get("/orders/order_test_123/public", headers={"Origin": "https://shop.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json() == {
        "id": "order_test_123",
        "amount": 50000,
        "currency": "INR",
        "status": answer.json()["status"],
        "multiple_payments": True,
        "merchant": {"name": "Test Merchant", "allowed_frame_origins": None},
        "test_mode": True,
    }
    preflight = await gateway.api.options("/payments/public")
    assert preflight.status_code == 204
    assert "Idempotency-Key" in preflight.headers["access-control-allow-headers"]
    assert preflight.headers["x-request-id"]


async def test_an_ad_hoc_order_is_not_public(gateway: Any) -> None:
    assert (await gateway.pay("invoice-1", amount=700)).status_code == 201
    assert (await gateway.get("/orders/invoice-1"))["multiple_payments"] is True
    assert (await gateway.api.get("/orders/invoice-1/public")).status_code == 404


async def test_pages_hold_every_order_once(gateway: Any) -> None:
    made = [(await gateway.order(receipt=f"p{number}"))["id"] for number in range(7)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await gateway.get("/orders", params={"limit": 3, **({"starting_after": cursor} if cursor else {})})
        seen += [order["id"] for order in page["data"]]
        cursor = page["next_cursor"]
        assert page["has_more"] is (cursor is not None)
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert seen[:7] == made[::-1]


async def test_the_same_key_makes_one_order(gateway: Any) -> None:
    headers = {"Idempotency-Key": "order-key"}
    first = await gateway.api.post("/orders", json={"amount": 500, "receipt": "once"}, headers=headers)
    await gateway.using.redis.flushdb()
    second = await gateway.api.post("/orders", json={"receipt": "once", "amount": 500}, headers=headers)
    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"
    other = await gateway.api.post("/orders", json={"amount": 501}, headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize("path", ["/orders/a%00b", "/orders/a%00b/public", "/payments/pay_%00", "/payments?q=%00"])
async def test_the_character_that_postgresql_refuses(gateway: Any, path: str) -> None:
    assert (await gateway.api.get(path)).status_code == 400
