"""Two merchants: nothing of one is reachable by the other, through any page, form, id or stream."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import httpx
import pytest
from tests.browser.dashboard.conftest import NewShopkeeper
from tests.browser.dashboard.shopkeeper import SESSION, Shopkeeper, form_token

from gateway_local.stack import Stack, wait_until


@pytest.fixture(scope="module")
def two(new_shopkeeper: NewShopkeeper) -> tuple[Shopkeeper, Shopkeeper, dict[str, str]]:
    """The owner, the stranger, and the owner's ids by the names that routes give them."""
    owner, stranger = new_shopkeeper(), new_shopkeeper()
    owner.send("/dashboard/inspector/use")
    payment = owner.pay(12_345_600, vpa="owner.secret@bank")
    owner.settled(payment)
    endpoint = owner.api.post("/webhook-endpoints", json={"url": "http://127.0.0.1:4000/private-path"}).json()["id"]
    wait_until(lambda: owner.api.get("/webhooks").json()["total"] > 0, what="a delivery")
    delivery = owner.api.get("/webhooks").json()["data"][0]["id"]
    replay = owner.api.post("/webhooks/replay", json={"since": 0}).json()["id"]
    key_id = owner.api.get("/merchant").json()["keys"][0]["id"]
    ids = {
        "payment_id": payment, "delivery_id": delivery, "endpoint_id": endpoint, "replay_id": replay, "key_id": key_id,
    }  # fmt: skip
    return owner, stranger, ids


_PATHS_WITH_IDS = (
    ("GET", "/dashboard/transactions/{payment_id}"),
    ("POST", "/dashboard/transactions/{payment_id}/capture"),
    ("POST", "/dashboard/transactions/{payment_id}/cancel"),
    ("POST", "/dashboard/transactions/{payment_id}/refund"),
    ("GET", "/dashboard/webhooks/deliveries/{delivery_id}"),
    ("POST", "/dashboard/webhooks/deliveries/{delivery_id}/retry"),
    ("GET", "/dashboard/webhooks/endpoints/{endpoint_id}"),
    ("POST", "/dashboard/webhooks/endpoints/{endpoint_id}"),
    ("POST", "/dashboard/webhooks/endpoints/{endpoint_id}/secret"),
    ("POST", "/dashboard/webhooks/endpoints/{endpoint_id}/delete"),
    ("GET", "/dashboard/webhooks/replays/{replay_id}"),
    ("POST", "/dashboard/webhooks/replays/{replay_id}"),
    ("POST", "/dashboard/settings/keys/{key_id}/revoke"),
    ("GET", "/dashboard/store?payment={payment_id}"),
    ("GET", "/dashboard/transactions?q={payment_id}"),
    ("GET", "/dashboard/transactions?after={payment_id}"),
    ("GET", "/dashboard/transactions?order_id={payment_id}"),
    ("GET", "/dashboard/transactions/export.csv?q={payment_id}"),
)
_PAGES = (
    "/dashboard", "/dashboard/transactions", "/dashboard/transactions/export.csv", "/dashboard/refunds",
    "/dashboard/orders", "/dashboard/webhooks", "/dashboard/inspector", "/dashboard/store", "/dashboard/docs",
    "/dashboard/settings",
)  # fmt: skip
_FIELDS = {"enabled": "no", "action": "cancel", "amount": "", "after_hours": "0"}


def test_no_page_shows_anothers_data(two: tuple[Shopkeeper, Shopkeeper, dict[str, str]]) -> None:
    owner, stranger, ids = two
    inspector = re.search(r"/inspector/[\w-]{32}", owner.site.get("/dashboard/inspector").text)
    assert inspector
    marks = [*ids.values(), owner.api_key, owner.email, "owner.secret@bank", "₹1,23,456", "private-path", inspector[0]]
    shown = "".join(owner.site.get(page).text for page in _PAGES)
    assert {mark for mark in marks if mark in shown} >= {ids["payment_id"], owner.api_key, inspector[0]}
    for page in _PAGES:
        answer = stranger.site.get(page)
        assert answer.status_code == 200
        assert [mark for mark in marks if mark in answer.text] == [], page


def test_every_route_refuses_anothers_ids(two: tuple[Shopkeeper, Shopkeeper, dict[str, str]]) -> None:
    owner, stranger, ids = two
    before = {path: owner.site.get(path).status_code for path in (f"/dashboard/transactions/{ids['payment_id']}",)}
    for method, pattern in _PATHS_WITH_IDS:
        path = pattern.format(**ids)
        answer = stranger.site.get(path) if method == "GET" else stranger.send(path, **_FIELDS)
        said_no = answer.status_code == 404 or (answer.status_code == 200 and "?" in path)
        assert said_no, f"{method} {path} answered {answer.status_code}"
        assert "owner.secret@bank" not in answer.text, path
    assert {path: owner.site.get(path).status_code for path in before} == before
    payment = owner.api.get(f"/payments/{ids['payment_id']}").json()
    assert (payment["status"], payment["captured"], payment["amount_refunded"]) == ("success", False, 0)
    assert owner.api.get(f"/webhook-endpoints/{ids['endpoint_id']}").json()["enabled"] is True


def _events(shopkeeper: Shopkeeper, stack: Stack, stop: threading.Event) -> Iterator[str]:
    url = f"{stack.urls['dashboard']}/dashboard/live?topics=payments,refunds,deliveries,inspections"
    cookies = {"Cookie": f"{SESSION}={shopkeeper.site.cookies[SESSION]}"}
    with httpx.stream("GET", url, headers=cookies, timeout=30) as answer:
        assert answer.status_code == 200
        for line in answer.iter_lines():
            yield line
            if stop.is_set():
                return


def test_a_stream_carries_its_own_merchants_changes_only(
    two: tuple[Shopkeeper, Shopkeeper, dict[str, str]], stack: Stack
) -> None:
    owner, stranger, _ = two
    heard: list[str] = []
    is_open, stop = threading.Event(), threading.Event()

    def listen() -> None:
        for line in _events(stranger, stack, stop):
            heard.append(line)
            is_open.set()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert is_open.wait(10)
    theirs = owner.pay()
    owner.settled(theirs)
    own = stranger.pay()
    stranger.settled(own)
    wait_until(lambda: sum(own in line for line in heard) >= 3, what="the stranger's own payment on its stream")
    stop.set()
    stranger.pay()  # one more line, so that the listener sees that it may go
    thread.join(15)
    assert theirs not in "".join(heard)


def test_without_a_session_there_is_no_stream(stack: Stack) -> None:
    url = f"{stack.urls['dashboard']}/dashboard/live?topics=payments"
    answer = httpx.get(url, headers={"Accept": "text/event-stream"})
    assert answer.status_code == 401
    assert httpx.get(url, headers={"Cookie": f"{SESSION}=guess", "Accept": "text/event-stream"}).status_code == 401


def test_anothers_form_token_is_no_good(two: tuple[Shopkeeper, Shopkeeper, dict[str, str]]) -> None:
    owner, stranger, _ = two
    token = form_token(stranger.site.get("/dashboard/settings"))
    answer = owner.site.post("/dashboard/settings/keys", data={"csrf_token": token, "attempt": "0" * 32})
    assert answer.status_code == 403
