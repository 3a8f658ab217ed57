"""A browser, a shop on an origin of its own, orders to pay."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.browser.checkout.chromium import launch
from tests.browser.checkout.payment_page import PaymentPage
from tests.browser.checkout.serving import served
from tests.browser.checkout.shop import API_KEY, ShopPage, make_shop
from tests.browser.checkout.standalone import Orders, an_order, standalone_checkout

from gateway_local.stack import Stack

API_SECRET = "secret_test_xyz789"
ACTION_TIMEOUT_MS = 10_000

MakeOrder = Callable[..., str]
OpenCheckout = Callable[..., PaymentPage]
_count = itertools.count()


@pytest.fixture(scope="module")
def browser(stack: Stack) -> Iterator[Browser]:
    """After the stack: while Playwright runs, its event loop holds the thread, and no other can start in it."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


class Watch:
    """Collects what a page must not do: throw, break its own policy, or call a third host."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        # Browsers report refused or failed requests as errors; a test that causes them says so.
        self.expects_failed_requests = False

    def follow(self, context: BrowserContext) -> None:
        context.on("weberror", lambda error: self.complaints.append(f"threw: {error.error}"))
        context.on("console", lambda message: self._hear(message.type, message.text))
        context.on("request", lambda request: self._see(request.url))

    def _hear(self, kind: str, text: str) -> None:
        if kind != "error" or (self.expects_failed_requests and "Failed to load resource" in text):
            return
        if self.expects_failed_requests and "ERR_INTERNET_DISCONNECTED" in text:
            return
        self.complaints.append(f"console: {text}")

    def _see(self, url: str) -> None:
        if urlsplit(url).hostname not in {"localhost", "127.0.0.1", None}:
            self.complaints.append(f"asked a third host: {url}")


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    assert watch.complaints == []


@pytest.fixture
def make_context(browser: Browser, watch: Watch) -> Iterator[Callable[..., BrowserContext]]:
    """A fresh profile; keyword arguments are Playwright's (`viewport`, `color_scheme`, …)."""
    contexts: list[BrowserContext] = []

    def make(**settings: Any) -> BrowserContext:
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 860}, **settings})
        context.set_default_timeout(ACTION_TIMEOUT_MS)
        watch.follow(context)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.unroute_all(behavior="ignoreErrors")
        context.close()


@pytest.fixture
def page(make_context: Callable[..., BrowserContext]) -> Page:
    return make_context().new_page()


@pytest.fixture(scope="module")
def merchant(stack: Stack) -> Iterator[httpx.Client]:
    """The seeded test merchant's server, talking to the API."""
    with httpx.Client(base_url=stack.urls["api"], auth=(API_KEY, API_SECRET), timeout=10) as client:
        yield client


@pytest.fixture
def make_order(merchant: httpx.Client) -> MakeOrder:
    """A fresh order's id; it takes one successful payment."""

    def make(amount: int = 50_000, **fields: Any) -> str:
        answer = merchant.post("/orders", json={"amount": amount, "currency": "INR", **fields})
        assert answer.status_code == 201, answer.text
        order_id: str = answer.json()["id"]
        return order_id

    return make


@pytest.fixture
def payments_of(merchant: httpx.Client) -> Callable[[str], list[dict[str, Any]]]:
    """Every payment that the gateway holds for an order: how often a shopper was charged."""

    def payments(order_id: str) -> list[dict[str, Any]]:
        answer = merchant.get("/payments", params={"order_id": order_id})
        assert answer.status_code == 200, answer.text
        data: list[dict[str, Any]] = answer.json()["data"]
        return data

    return payments


@pytest.fixture
def open_checkout(stack: Stack) -> OpenCheckout:
    """The page of the real stack in a tab of its own."""

    def open_in(page: Page, order_id: str, **query: str) -> PaymentPage:
        page.goto(str(httpx.URL(f"{stack.urls['checkout']}/checkout", params={"order_id": order_id, **query})))
        return PaymentPage(page)

    return open_in


@pytest.fixture(scope="module")
def shop_address(stack: Stack) -> Iterator[str]:
    with served(make_shop(stack.urls["checkout"])) as port:
        yield f"http://localhost:{port}/"


@pytest.fixture
def shop(page: Page, shop_address: str) -> ShopPage:
    return ShopPage(page, shop_address)


@pytest.fixture(scope="module")
def orders() -> Orders:
    return Orders()


@pytest.fixture(scope="module")
def lone_checkout(orders: Orders) -> Iterator[str]:
    """The origin of a checkout service without a gateway behind it (see `standalone`)."""
    with standalone_checkout(orders) as origin:
        yield origin


@pytest.fixture
def new_id() -> Callable[[], str]:
    return lambda: f"order_{next(_count):016d}"


@pytest.fixture
def an_open_order(orders: Orders, new_id: Callable[[], str]) -> str:
    """An order that only `lone_checkout` knows."""
    order = an_order(new_id())
    orders.put(order)
    order_id: str = order["id"]
    return order_id
