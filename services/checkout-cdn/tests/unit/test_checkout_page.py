"""The page's HTML: what the contract names in it, what it knows of the order, how it is protected."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from checkout_cdn.bootstrap import WEB_FOLDER

PAGE = "/checkout?order_id=order_test_123"
PAGE_FOLDER = WEB_FOLDER / "page"

# WEB.md, Checkout page.
TEST_IDS = [
    "checkout-container",
    "order-summary",
    "order-amount",
    "order-id",
    "payment-methods",
    "method-upi",
    "method-card",
    "upi-form",
    "vpa-input",
    "card-form",
    "card-number-input",
    "expiry-input",
    "cvv-input",
    "cardholder-name-input",
    "pay-button",
    "processing-state",
    "processing-message",
    "success-state",
    "payment-id",
    "success-message",
    "error-state",
    "error-message",
    "retry-button",
]


class Attributes(HTMLParser):
    """Every element's attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def values(self, name: str) -> list[str]:
        return [attributes[name] or "" for _, attributes in self.elements if name in attributes]


def policy_of(answer: httpx.Response) -> dict[str, str]:
    directives = answer.headers["content-security-policy"].split("; ")
    return dict(directive.split(" ", 1) for directive in directives)


def data_of(answer: httpx.Response) -> Any:
    match = re.search(r'<script type="application/json" id="checkout-data">(.*?)</script>', answer.text)
    assert match
    return json.loads(match[1])


async def test_it_has_what_the_contract_names(client: httpx.AsyncClient) -> None:
    page = Attributes((await client.get(PAGE)).text)
    test_ids = page.values("data-test-id")
    assert [name for name in TEST_IDS if name not in test_ids] == []
    assert test_ids.count("pay-button") == 2
    assert set(page.values("data-method")) == {"upi", "card"}
    ids = page.values("id")
    assert len(ids) == len(set(ids))


async def test_the_order_comes_with_the_page_and_only_what_it_needs(
    client: httpx.AsyncClient, payments_api: Any
) -> None:
    payments_api.order["merchant"]["allowed_frame_origins"] = ["https://shop.test"]
    payments_api.order["internal"] = "not for browsers"
    answer = await client.get(PAGE)
    assert answer.status_code == 200
    assert data_of(answer) == {
        "api": "http://localhost:8000/api/v1",
        "order": {
            "id": "order_test_123",
            "amount": 50_000,
            "currency": "INR",
            "status": "created",
            "test_mode": True,
            "multiple_payments": False,
            "merchant": {"name": "Test Merchant"},
        },
        "problem": None,
        "upi_payee": "gateway@testbank",
    }
    assert payments_api.asked[0].url.path == "/api/v1/orders/order_test_123/public"


async def test_a_merchants_name_cannot_become_markup(client: httpx.AsyncClient, payments_api: Any) -> None:
    name = "</script><script>alert(1)</script><!-- & \u2028"
    payments_api.order["merchant"]["name"] = name
    answer = await client.get(PAGE)
    assert "alert(1)</script>" not in answer.text
    assert data_of(answer)["order"]["merchant"]["name"] == name


@pytest.mark.parametrize(
    ("reply", "status", "problem"),
    [
        (httpx.Response(404, json={}), 404, "not_found"),
        (httpx.Response(500, json={}), 503, "unavailable"),
        (httpx.Response(429, json={}), 503, "unavailable"),
        (httpx.Response(200, json={"id": "order_test_123"}), 503, "unavailable"),
        (httpx.Response(200, content=b"<html>"), 503, "unavailable"),
    ],
)
async def test_without_an_order_the_page_says_so(
    client: httpx.AsyncClient, payments_api: Any, reply: httpx.Response, status: int, problem: str
) -> None:
    payments_api.answer = lambda request: reply
    answer = await client.get(PAGE)
    assert (answer.status_code, data_of(answer)["problem"], data_of(answer)["order"]) == (status, problem, None)
    assert 'data-test-id="checkout-container"' in answer.text


async def test_an_api_that_is_gone_is_a_page_that_waits(client: httpx.AsyncClient, payments_api: Any) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    payments_api.answer = refuse
    answer = await client.get(PAGE)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"


@pytest.mark.parametrize("order_id", ["", "x" * 65])
async def test_an_impossible_id_is_not_even_asked_for(
    client: httpx.AsyncClient, payments_api: Any, order_id: str
) -> None:
    assert (await client.get("/checkout", params={"order_id": order_id})).status_code == 404
    assert payments_api.asked == []


async def test_an_id_stays_one_segment_of_the_path(client: httpx.AsyncClient, payments_api: Any) -> None:
    await client.get("/checkout", params={"order_id": "../../merchant?x=#"})
    assert payments_api.asked[0].url.raw_path == b"/api/v1/orders/..%2F..%2Fmerchant%3Fx%3D%23/public"


async def test_the_policy_allows_nothing_inline_and_no_third_host(client: httpx.AsyncClient) -> None:
    answer = await client.get(PAGE)
    policy = policy_of(answer)
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self' http://localhost:8000"
    assert policy["form-action"] == policy["base-uri"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    page = Attributes(answer.text)
    assert [name for _, attributes in page.elements for name in attributes if name.startswith("on")] == []
    assert page.values("style") == []
    inline = [
        a for tag, a in page.elements if tag == "script" and "src" not in a and a.get("type") != "application/json"
    ]
    assert inline == []
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize(
    ("test_mode", "allowed", "ancestors"),
    [
        (True, None, "*"),
        (True, ["https://shop.test"], "*"),
        (False, None, "'none'"),
        (False, [], "'none'"),
        (False, ["https://shop.test", "http://localhost:5000"], "https://shop.test http://localhost:5000"),
        (False, ["https://evil.test; script-src *", "*", "https:", "javascript:x", "https://a.test/path"], "'none'"),
        (False, ["https://shop.test\r\nX-Evil: 1", "https://b.test"], "https://b.test"),
    ],
)
async def test_who_may_frame_it(
    client: httpx.AsyncClient, payments_api: Any, test_mode: bool, allowed: list[str] | None, ancestors: str
) -> None:
    payments_api.order["test_mode"] = test_mode
    payments_api.order["merchant"]["allowed_frame_origins"] = allowed
    answer = await client.get(PAGE)
    assert policy_of(answer)["frame-ancestors"] == ancestors
    assert data_of(answer)["upi_payee"] == ("gateway@testbank" if test_mode else None)


async def test_every_module_is_named_up_front_but_for_those_loaded_on_demand(client: httpx.AsyncClient) -> None:
    page = Attributes((await client.get(PAGE)).text)
    named = {
        (attributes["href"] or "").rsplit("/", 1)[1]
        for _, attributes in page.elements
        if attributes.get("rel") == "modulepreload"
    }
    assert named == {path.name for path in PAGE_FOLDER.glob("*.js")} - {"words.hi.js", "qr.js"}


def test_every_text_is_there_in_hindi() -> None:
    html = Attributes((PAGE_FOLDER / "index.html").read_text(encoding="utf-8"))
    key = re.compile(r"^  (\w+): '", re.MULTILINE)
    english = set(key.findall((PAGE_FOLDER / "words.en.js").read_text(encoding="utf-8")))
    hindi = set(key.findall((PAGE_FOLDER / "words.hi.js").read_text(encoding="utf-8")))
    assert hindi == english | set(html.values("data-text")) | set(html.values("data-label"))


def test_the_page_never_posts_to_everyone() -> None:
    for path in [*PAGE_FOLDER.glob("*.js"), WEB_FOLDER / "sdk" / "checkout.js"]:
        for call in re.findall(r"postMessage\([^)]*\)", path.read_text(encoding="utf-8")):
            assert "*" not in call, path.name
