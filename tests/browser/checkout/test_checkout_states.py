"""What happens besides a quick success: interruptions, lost networks, slow banks, other tabs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from tests.browser.checkout.conftest import MakeOrder, OpenCheckout, Watch
from tests.browser.checkout.payment_page import PaymentPage
from tests.browser.checkout.shop import ShopPage

PaymentsOf = Callable[[str], list[dict[str, Any]]]
MakeContext = Callable[..., BrowserContext]

STATUS = "**/payments/pay_*/public*"
CREATE = "**/payments/public"


class HeldStatus:
    """Keeps a page from learning a payment's state until it is released; the payment itself goes on."""

    def __init__(self, context: BrowserContext) -> None:
        self._held: list[Route] | None = []
        context.route(STATUS, self._hold)

    def _hold(self, route: Route) -> None:
        if self._held is None:
            route.continue_()
        else:
            self._held.append(route)

    def release(self) -> None:
        held, self._held = self._held or [], None
        for route in held:
            # The frame that asked may be gone by now, as when its modal was closed.
            if not route.request.frame.is_detached():
                route.continue_()


class AnswerLost:
    """The gateway gets the first request for a payment; the page never gets the answer."""

    def __init__(self, context: BrowserContext) -> None:
        self.payment_id: str | None = None
        context.route(CREATE, self._lose_the_first)

    def _lose_the_first(self, route: Route) -> None:
        if self.payment_id is None:
            self.payment_id = route.fetch().json()["id"]
        else:
            route.continue_()

    def wait(self, page: Page) -> None:
        for _ in range(100):
            if self.payment_id is not None:
                return
            page.wait_for_timeout(50)
        raise AssertionError("no payment was asked for")


def test_a_double_click_is_one_charge(
    page: Page, make_order: MakeOrder, open_checkout: OpenCheckout, payments_of: PaymentsOf
) -> None:
    order_id = make_order(multiple_payments=True)
    checkout = open_checkout(page, order_id)
    checkout.fill_upi("success@upi")
    checkout.pay_button("upi").evaluate("button => { button.click(); button.click(); button.form.requestSubmit() }")
    payment_id = checkout.payment_id()
    assert [payment["id"] for payment in payments_of(order_id)] == [payment_id]


def test_closed_in_the_middle_and_opened_again_it_resumes_the_payment(
    shop: ShopPage, make_order: MakeOrder, payments_of: PaymentsOf
) -> None:
    order_id = make_order(multiple_payments=True)
    held = HeldStatus(shop.page.context)
    checkout = shop.visit(order_id).buy()
    with shop.page.expect_response(CREATE) as created:
        checkout.pay_by_card()
    payment_id = created.value.json()["id"]
    checkout.expect_state("processing")
    expect(checkout.locator("[data-step=bank]")).to_be_visible()
    shop.page.locator("[data-test-id=close-modal-button]").click()
    assert shop.modals == 0

    checkout = shop.buy()
    checkout.expect_state("processing")
    held.release()
    assert checkout.payment_id() == payment_id
    result = shop.wait_for_event("success")
    assert result["paymentId"] == payment_id
    assert result["signature"]
    assert [event[0] for event in shop.events()] == ["close", "success", "close"]
    assert [payment["id"] for payment in payments_of(order_id)] == [payment_id]
    # The result was delivered: next time there is a form again.
    shop.buy().expect_state("form")


def test_a_result_that_the_shop_has_not_got_is_delivered_when_it_is_opened_again(
    shop: ShopPage, make_order: MakeOrder
) -> None:
    checkout = shop.visit(make_order()).buy()
    checkout.pay_by_upi("success@upi")
    payment_id = checkout.payment_id()
    shop.page.evaluate("window.checkout.close()")
    assert [event[0] for event in shop.events()] == ["close"]
    assert shop.buy().payment_id() == payment_id
    assert shop.wait_for_event("success")["paymentId"] == payment_id


def test_closed_before_the_answer_the_request_is_repeated_and_not_doubled(
    shop: ShopPage, make_order: MakeOrder, payments_of: PaymentsOf
) -> None:
    order_id = make_order(multiple_payments=True)
    lost = AnswerLost(shop.page.context)
    shop.visit(order_id).buy().pay_by_upi("success@upi")
    lost.wait(shop.page)
    shop.page.keyboard.press("Escape")
    expect(shop.page.locator("#payment-gateway-modal")).to_have_count(0)
    assert shop.buy().payment_id() == lost.payment_id
    assert [payment["id"] for payment in payments_of(order_id)] == [lost.payment_id]


@pytest.mark.parametrize(("number", "is_same"), [("4242424242424242", True), ("5555555555554444", False)])
def test_a_card_payment_without_an_answer_is_continued_or_owned_up_to(
    shop: ShopPage, make_order: MakeOrder, payments_of: PaymentsOf, watch: Watch, number: str, is_same: bool
) -> None:
    """Card data is never kept, so the shopper enters it again: the same card continues, another is not charged."""
    watch.expects_failed_requests = True  # 422 is an answer here
    order_id = make_order(multiple_payments=True)
    lost = AnswerLost(shop.page.context)
    shop.visit(order_id).buy().pay_by_card("4242424242424242")
    lost.wait(shop.page)
    shop.page.keyboard.press("Escape")
    expect(shop.page.locator("#payment-gateway-modal")).to_have_count(0)
    checkout = shop.buy()
    checkout.pay_by_card(number)
    if is_same:
        assert checkout.payment_id() == lost.payment_id
    else:
        checkout.expect_state("error")
        expect(checkout.part("error-message")).to_have_text("An earlier attempt may have gone through")
    assert [payment["id"] for payment in payments_of(order_id)] == [lost.payment_id]


def test_without_a_network_it_keeps_trying_and_charges_once(
    page: Page, make_order: MakeOrder, open_checkout: OpenCheckout, payments_of: PaymentsOf, watch: Watch
) -> None:
    watch.expects_failed_requests = True
    order_id = make_order(multiple_payments=True)
    checkout = open_checkout(page, order_id)
    checkout.fill_card()
    page.context.set_offline(True)
    checkout.pay_button("card").click()
    expect(checkout.locator("#processing-note")).to_contain_text("Your connection is gone")
    assert payments_of(order_id) == []
    page.context.set_offline(False)
    payment_id = checkout.payment_id()
    assert [payment["id"] for payment in payments_of(order_id)] == [payment_id]


def test_a_lost_answer_is_asked_for_again_with_the_same_key(
    page: Page, make_order: MakeOrder, open_checkout: OpenCheckout, payments_of: PaymentsOf, watch: Watch
) -> None:
    watch.expects_failed_requests = True
    order_id = make_order(multiple_payments=True)
    keys: list[str | None] = []

    def lose_two_answers(route: Route) -> None:
        keys.append(route.request.headers.get("idempotency-key"))
        if len(keys) > 2:
            route.continue_()
        elif len(keys) == 2:
            route.fulfill(status=503, headers={"Access-Control-Allow-Origin": "*"}, json={"error": {}})
        else:
            route.fetch()
            route.abort()

    page.route(CREATE, lose_two_answers)
    checkout = open_checkout(page, order_id)
    checkout.pay_by_upi("success@upi")
    payment_id = checkout.payment_id()
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert [payment["id"] for payment in payments_of(order_id)] == [payment_id]


def test_a_slow_bank_is_told_honestly(page: Page, make_order: MakeOrder, open_checkout: OpenCheckout) -> None:
    held = HeldStatus(page.context)
    page.clock.install()
    checkout = open_checkout(page, make_order())
    checkout.pay_by_upi("success@upi")
    checkout.expect_state("processing")
    expect(checkout.locator("#processing-note")).to_contain_text("approve the request")
    page.clock.run_for(13_000)
    expect(checkout.locator("#processing-note")).to_contain_text("a little longer")
    page.clock.run_for(18_000)
    expect(checkout.locator("#processing-note")).to_contain_text("will not be charged twice")
    expect(checkout.locator("#elapsed")).to_contain_text("0:3")
    expect(checkout.part("processing-message")).to_have_text("Processing payment...")
    held.release()
    page.clock.run_for(3_000)
    checkout.expect_state("success")


def test_a_second_tab_follows_the_first(
    page: Page, make_order: MakeOrder, open_checkout: OpenCheckout, payments_of: PaymentsOf
) -> None:
    order_id = make_order()
    held = HeldStatus(page.context)
    first = open_checkout(page, order_id)
    waiting = open_checkout(page.context.new_page(), order_id)
    waiting.fill_upi("success@upi")
    with page.expect_response(CREATE):
        first.pay_by_upi("success@upi")
    first.expect_state("processing")
    expect(first.locator("#steps")).to_have_attribute("data-at", "bank")
    waiting.pay_button("upi").click()
    opened_later = open_checkout(page.context.new_page(), order_id)
    for tab in (waiting, opened_later):
        tab.expect_state("processing")
    held.release()
    ids = {tab.payment_id() for tab in (first, waiting, opened_later)}
    assert ids == {payment["id"] for payment in payments_of(order_id)}
    assert len(ids) == 1


def test_on_another_device_it_watches_and_then_says_that_the_order_is_paid(
    make_context: MakeContext, make_order: MakeOrder, open_checkout: OpenCheckout, payments_of: PaymentsOf, watch: Watch
) -> None:
    watch.expects_failed_requests = True  # 409 is an answer here
    order_id = make_order()
    here = open_checkout(make_context().new_page(), order_id)
    there = open_checkout(make_context().new_page(), order_id)
    for device in (here, there):
        device.fill_upi("late@upi")
    here.pay_button("upi").click(no_wait_after=True)
    here.expect_state("processing")
    expect(here.locator("#steps")).to_have_attribute("data-at", "bank")
    there.pay_button("upi").click()
    there.expect_state("elsewhere")
    here.expect_state("success", timeout_seconds=40)
    there.expect_state("paid")
    assert len(payments_of(order_id)) == 1


def test_a_paid_order_has_a_state_of_its_own(page: Page, make_order: MakeOrder, open_checkout: OpenCheckout) -> None:
    order_id = make_order()
    checkout = open_checkout(page, order_id)
    checkout.pay_by_upi("success@upi")
    checkout.expect_state("success")
    page.reload()
    checkout.expect_state("paid")
    expect(checkout.part("pay-button").first).to_be_hidden()


def test_an_order_for_many_payments_can_be_paid_again(
    page: Page, make_order: MakeOrder, open_checkout: OpenCheckout, payments_of: PaymentsOf
) -> None:
    order_id = make_order(multiple_payments=True)
    ids = set()
    for _ in range(2):
        checkout = open_checkout(page, order_id)
        checkout.pay_by_upi("success@upi")
        ids.add(checkout.payment_id())
    assert ids == {payment["id"] for payment in payments_of(order_id)}


def test_an_unknown_order_has_a_state_of_its_own(page: Page, open_checkout: OpenCheckout, watch: Watch) -> None:
    watch.expects_failed_requests = True
    for order_id in ("order_doesnotexist00", "", "<script>alert(1)</script>"):
        open_checkout(page, order_id).expect_state("unknown")


def test_while_the_gateway_is_away_the_page_waits_and_then_goes_on(
    page: Page, lone_checkout: str, orders: Any, an_open_order: str, watch: Watch
) -> None:
    watch.expects_failed_requests = True
    orders.is_down = True
    try:
        page.goto(f"{lone_checkout}/checkout?order_id={an_open_order}")
        PaymentPage(page).expect_state("unavailable")
    finally:
        orders.is_down = False
    PaymentPage(page).expect_state("form")
