"""Every state of the page, wide and narrow, light and dark: no violation that axe-core knows, nothing cut off,
and a screenshot of each in `.run/screenshots/checkout` for people to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from tests.browser.checkout.axe import violations
from tests.browser.checkout.conftest import Watch
from tests.browser.checkout.payment_page import PaymentPage
from tests.browser.checkout.serving import served
from tests.browser.checkout.shop import ShopPage, make_shop
from tests.browser.checkout.standalone import Orders, an_order

SCREENSHOTS = Path(__file__).parents[3] / ".run" / "screenshots" / "checkout"
SIZES = {"wide": {"width": 1200, "height": 800}, "narrow": {"width": 360, "height": 740}}
# Both layouts and both colour schemes; the other two pairs could not find anything else.
ASK_AXE = {"wide-light", "narrow-dark"}
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}

NewId = Callable[[], str]


class ScriptedGateway:
    """Answers the page's requests with what the next picture needs."""

    def __init__(self, context: BrowserContext) -> None:
        self.refusal: tuple[int, str] | None = None
        self.final: dict[str, Any] | None = None
        context.route("**/api/v1/**", self._answer)

    def _answer(self, route: Route) -> None:
        payment = {"id": "pay_Ab3dEf6hIj9kLm2n", "status": "pending"}
        if route.request.method == "POST":
            if self.refusal:
                status, code = self.refusal
                route.fulfill(status=status, headers=CORS, json={"error": {"code": code, "description": code}})
            else:
                route.fulfill(status=201, headers=CORS, json={**payment, "client_token": "token"})
        elif "/orders/" in route.request.url:
            route.fulfill(headers=CORS, json=an_order("order_any"))
        else:
            route.fulfill(headers=CORS, json={**payment, **(self.final or {})})


class Gallery:
    """Looks at one page, state by state."""

    def __init__(self, page: Page, variant: str) -> None:
        self._page = page
        self._variant = variant
        self._asks_axe = variant in ASK_AXE
        self.faults: list[str] = []

    def look(self, name: str) -> None:
        # Opacity is a colour to axe: what fades in is looked at when it has arrived.
        self._page.evaluate(
            "Promise.allSettled(document.getAnimations().filter(one => one.effect.getTiming().iterations === 1)"
            ".map(one => one.finished))"
        )
        self._page.screenshot(path=SCREENSHOTS / f"{name}-{self._variant}.png", full_page=True)
        if self._asks_axe:
            self.faults += [f"{name}: {one}" for one in violations(self._page)]
        overflow = self._page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if overflow > 0:
            self.faults.append(f"{name}: {overflow} px wider than the window")


@pytest.fixture(params=[("wide", "light"), ("wide", "dark"), ("narrow", "light"), ("narrow", "dark")], ids="-".join)
def look(request: pytest.FixtureRequest) -> tuple[str, str]:
    size, scheme = request.param
    return size, scheme


@pytest.fixture
def context(look: tuple[str, str], make_context: Callable[..., BrowserContext], watch: Watch) -> BrowserContext:
    watch.expects_failed_requests = True
    return make_context(viewport=SIZES[look[0]], color_scheme=look[1], reduced_motion="reduce")


@pytest.fixture
def gallery(look: tuple[str, str], context: BrowserContext) -> Iterator[Gallery]:
    gallery = Gallery(context.new_page(), "-".join(look))
    yield gallery
    assert gallery.faults == []


def test_every_state(
    gallery: Gallery, context: BrowserContext, lone_checkout: str, orders: Orders, new_id: NewId
) -> None:
    gateway = ScriptedGateway(context)
    page = context.pages[0]
    page.clock.install()

    def visit(**changes: Any) -> PaymentPage:
        order = an_order(new_id(), **changes)
        orders.put(order)
        page.goto(f"{lone_checkout}/checkout?order_id={order['id']}")
        return PaymentPage(page)

    checkout = visit()
    gallery.look("upi")
    checkout.pay_by_upi("nobody")
    gallery.look("upi-mistake")
    checkout.locator("#scan-toggle").click()
    expect(checkout.locator("#qr svg")).to_be_visible()
    gallery.look("upi-qr")
    checkout.part("method-card").click()
    gallery.look("card")
    checkout.fill_card("378282246310005", expiry="01/20", cvv="12", name="")
    checkout.pay_button("card").click()
    gallery.look("card-mistakes")
    checkout.locator("#language").click()
    expect(checkout.pay_button("card")).to_contain_text("भुगतान करें")
    gallery.look("card-hindi")

    checkout = visit(status="paid")
    checkout.expect_state("paid")
    gallery.look("paid")
    visit(status="expired").expect_state("expired")
    gallery.look("expired")
    page.goto(f"{lone_checkout}/checkout?order_id=order_unknown")
    checkout.expect_state("unknown")
    gallery.look("unknown")

    gateway.refusal = (409, "ORDER_PAYMENT_IN_PROGRESS")
    visit().pay_by_upi("asha@upi")
    checkout.expect_state("elsewhere")
    gallery.look("elsewhere")
    gateway.refusal = (400, "BAD_REQUEST_ERROR")
    visit().pay_by_upi("asha@upi")
    checkout.expect_state("error")
    gallery.look("refused")

    gateway.refusal = None
    visit().pay_by_upi("asha@upi")
    expect(checkout.locator("#steps")).to_have_attribute("data-at", "bank")
    page.clock.run_for(4_000)
    gallery.look("processing")
    page.clock.run_for(30_000)
    expect(checkout.locator("#processing-note")).to_contain_text("slow today")
    gallery.look("processing-slow")
    gateway.final = {"status": "success"}
    visit().pay_by_upi("asha@upi")
    checkout.expect_state("success")
    gallery.look("success")
    gateway.final = {"status": "failed", "error_reason": "insufficient_funds"}
    visit().pay_by_card()
    checkout.expect_state("error")
    gallery.look("failed")
    gateway.refusal = (503, "SERVICE_UNAVAILABLE")
    visit().pay_by_card()
    expect(checkout.locator("#processing-note")).to_contain_text("cannot be reached")
    gallery.look("processing-unreachable")

    orders.is_down = True
    try:
        visit().expect_state("unavailable")
        gallery.look("unavailable")
    finally:
        orders.is_down = False


def test_the_modal(
    gallery: Gallery,
    look: tuple[str, str],
    context: BrowserContext,
    lone_checkout: str,
    orders: Orders,
    an_open_order: str,
) -> None:
    gateway = ScriptedGateway(context)
    gateway.final = {"status": "success"}
    page = context.pages[0]
    with served(make_shop(lone_checkout)) as port:
        shop = ShopPage(page, f"http://localhost:{port}/").visit(an_open_order)
        checkout = shop.buy()
        checkout.expect_state("form")
        width, height = page.viewport_size["width"], page.viewport_size["height"]  # type: ignore[index]
        page.wait_for_function("document.querySelector('[data-test-id=payment-iframe]').style.height !== ''")
        box = page.locator(".modal-content").bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
        page.screenshot(path=SCREENSHOTS / f"modal-{'-'.join(look)}.png")
        gallery.faults += violations(page)
        inner = page.frames[1]
        gallery.faults += violations(inner)
        assert inner.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        background = checkout.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
        assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 26, 35)"}[look[1]]
        checkout.pay_by_upi("asha@upi")
        checkout.expect_state("success")
        page.screenshot(path=SCREENSHOTS / f"modal-success-{'-'.join(look)}.png")
