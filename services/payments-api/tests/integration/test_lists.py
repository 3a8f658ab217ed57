"""Lists of payments against what a plain filter over all of them says."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest


@pytest.fixture
async def shop(gateway: Any) -> list[dict[str, Any]]:
    """A merchant of its own with payments of every kind, newest first."""
    gateway.api.headers.update(await gateway.other_merchant(f"lists-{id(gateway)}@example.com"))
    made = []
    for number in range(24):
        method = {"method": "card", "vpa": None} if number % 3 == 0 else {"vpa": f"User{number % 4}@upi"}
        made.append((await gateway.pay(f"ref-{number % 5}", amount=500, **method)).json())
    statuses = ("pending", "success", "failed", "cancelled")
    for number, payment in enumerate(made):
        payment["status"] = statuses[number % 4]
        await gateway.database.execute(
            "UPDATE payments SET status = $2 WHERE id = $1", payment["id"], payment["status"]
        )
    # Many in one millisecond: the id decides then.
    await gateway.database.execute(
        "UPDATE payments SET created_at = now() WHERE id = ANY($1)", [p["id"] for p in made[:9]]
    )
    rows = await gateway.database.fetch(
        "SELECT id FROM payments WHERE id = ANY($1) ORDER BY created_at DESC, id DESC", [p["id"] for p in made]
    )
    by_id = {payment["id"]: payment for payment in made}
    return [by_id[row["id"]] for row in rows]


async def pages(gateway: Any, **params: Any) -> list[str]:
    seen: list[str] = []
    while True:
        page = await gateway.get("/payments", params={"limit": 5, **params})
        seen += [payment["id"] for payment in page["data"]]
        if not page["has_more"]:
            assert page["next_cursor"] is None
            return seen
        params["starting_after"] = page["next_cursor"]


async def test_every_combination_of_filters(gateway: Any, shop: Any) -> None:
    made = shop
    choices = {
        "status": (None, "success", "cancelled"),
        "method": (None, "upi", "card"),
        "order_id": (None, "ref-2", "nothing"),
        "q": (None, "USER1@UPI", "ref-3", "4242"),
    }
    for values in product(*choices.values()):
        wanted = {name: value for name, value in zip(choices, values, strict=True) if value is not None}
        expected = [payment["id"] for payment in made if matches(payment, wanted)]
        assert await pages(gateway, **wanted) == expected, wanted
    assert await pages(gateway, q=made[3]["id"]) == [made[3]["id"]]


def matches(payment: dict[str, Any], wanted: dict[str, str]) -> bool:
    text = wanted.get("q")
    found = text is None or text.lower() in (
        payment["order_id"].lower(),
        payment.get("vpa", "").lower(),
        payment.get("card_last4"),
    )
    return found and all(payment[name] == value for name, value in wanted.items() if name != "q")


async def test_periods(gateway: Any, shop: Any) -> None:
    everything = await pages(gateway)
    assert await pages(gateway, created_gte="2020-01-01", created_lte="2100-01-01T00:00:00+05:30") == everything
    assert await pages(gateway, created_gte="4102444800") == []
    assert await pages(gateway, created_lte=0) == []
    oldest = (await gateway.get(f"/payments/{everything[-1]}"))["created_at"]
    assert await pages(gateway, created_lte=oldest) == everything[-1:]


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": "x"},
        {"status": "odd"},
        {"method": "cash"},
        {"starting_after": "pay_0000000000000000"},
        {"created_gte": "yesterday"},
        {"created_lte": "99999999999999999999"},
    ],
)
async def test_what_is_no_filter(gateway: Any, params: dict[str, Any]) -> None:
    answer = await gateway.api.get("/payments", params=params)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, next(iter(params)))


async def test_a_foreign_cursor_is_refused(gateway: Any) -> None:
    mine = (await gateway.pay()).json()["id"]
    other = await gateway.other_merchant("cursor@example.com")
    assert (await gateway.api.get("/payments", params={"starting_after": mine}, headers=other)).status_code == 400
