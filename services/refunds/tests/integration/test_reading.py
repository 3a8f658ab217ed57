"""Lists, filters, and what malformed requests are told."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import PaymentsApi, Service


async def _ids(service: Service, path: str, **parameters: Any) -> list[str]:
    response = await service.merchant.http.get(path, params=parameters)
    assert response.status_code == 200, response.text
    return [refund["id"] for refund in response.json()["data"]]


async def test_lists_are_newest_first_and_page_on(service: Service, payments_api: PaymentsApi) -> None:
    payment_id, other = payments_api.add(), payments_api.add()
    made = [(await service.merchant.refund(payment_id, 1000 + number)).json() for number in range(5)]
    elsewhere = (await service.merchant.refund(other, 1000)).json()
    newest_first = [refund["id"] for refund in reversed(made)]
    path = f"/api/v1/payments/{payment_id}/refunds"

    assert await _ids(service, path) == newest_first
    assert await _ids(service, "/api/v1/refunds", payment_id=payment_id) == newest_first
    assert (await _ids(service, "/api/v1/refunds"))[:6] == [elsewhere["id"], *newest_first]
    assert await _ids(service, path, status="processed") == []
    first = (await service.merchant.http.get(path, params={"limit": 2})).json()
    assert (first["has_more"], first["next_cursor"]) == (True, newest_first[1])
    rest = (await service.merchant.http.get(path, params={"limit": 3, "starting_after": first["next_cursor"]})).json()
    assert [refund["id"] for refund in rest["data"]] == newest_first[2:]
    assert (rest["has_more"], rest["next_cursor"]) == (False, None)
    moment = made[2]["created_at"]
    assert made[2]["id"] in await _ids(service, "/api/v1/refunds", created_gte=moment, created_lte=moment)
    assert await _ids(service, "/api/v1/refunds", created_lte="2020-01-01T00:00:00Z") == []
    assert await _ids(service, "/api/v1/refunds", created_gte="4000000000") == []


async def test_a_payment_without_refunds_has_an_empty_list(service: Service, payments_api: PaymentsApi) -> None:
    for status in ("success", "pending"):
        assert await _ids(service, f"/api/v1/payments/{payments_api.add(status=status)}/refunds") == []
    unknown = await service.merchant.http.get(f"/api/v1/payments/pay_{'0' * 16}/refunds")
    assert unknown.status_code == 404


async def test_foreign_refunds_do_not_exist(service: Service, payments_api: PaymentsApi) -> None:
    refund = (await service.merchant.refund(payments_api.add(), 1000)).json()
    found = await service.other_merchant.http.get(f"/api/v1/refunds/{refund['id']}")
    assert (found.status_code, found.json()["detail"]) == (404, "Refund not found")
    assert (await service.other_merchant.http.get("/api/v1/refunds")).json()["data"] == []
    cursor = await service.other_merchant.http.get("/api/v1/refunds", params={"starting_after": refund["id"]})
    assert cursor.status_code == 400


@pytest.mark.parametrize("amount", [0, -1, 1.0, 1.5, "1000", True, [], {}, 2**53, 10**30])
async def test_amounts_that_are_none(service: Service, payments_api: PaymentsApi, amount: object) -> None:
    refused = await service.merchant.refund(payments_api.add(), amount=amount)  # type: ignore[arg-type]
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "BAD_REQUEST_ERROR")


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"1",
        b"{",
        b'{"reason": 1}',
        b'{"reason": "\\u0000"}',
        b'{"notes": []}',
        b'{"notes": {"n": 9007199254740993}}',
        b'{"reason": "' + b"x" * 256 + b'"}',
        b'{"notes": ' + b'{"a":' * 40 + b"1" + b"}" * 41,
    ],
)
async def test_malformed_bodies(service: Service, payments_api: PaymentsApi, body: bytes) -> None:
    refused = await service.merchant.http.post(f"/api/v1/payments/{payments_api.add()}/refunds", content=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "BAD_REQUEST_ERROR"), refused.text


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "status=done", "created_gte=soon", "starting_after=%00", "created_lte=9e99"],
)
async def test_malformed_queries(service: Service, query: str) -> None:
    refused = await service.merchant.http.get(f"/api/v1/refunds?{query}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "BAD_REQUEST_ERROR"), refused.text


async def test_odd_ids_are_no_errors_of_ours(service: Service) -> None:
    for path in ("/api/v1/refunds/rfnd_-", "/api/v1/payments/'/refunds", "/api/v1/refunds/%F0%9F%92%B8"):
        assert (await service.merchant.http.get(path)).status_code == 404
    assert (await service.merchant.http.get("/api/v1/refunds/%00")).status_code in (400, 404)
    assert await _ids(service, "/api/v1/refunds", payment_id="' OR 1=1") == []


async def test_credentials(service: Service) -> None:
    for headers in ({"X-Api-Secret": "wrong"}, {"X-Api-Key": "key_unknown"}):
        refused = await service.merchant.http.get("/api/v1/refunds", headers=headers)
        assert (refused.status_code, refused.json()["detail"]) == (401, "Invalid API credentials")
