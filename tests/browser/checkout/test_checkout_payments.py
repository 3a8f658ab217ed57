"""Paying through the real gateway, on the page itself and in a shop's modal."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest
import razorpay
from playwright.sync_api import Page, expect
from tests.browser.checkout.conftest import API_SECRET, MakeOrder, OpenCheckout
from tests.browser.checkout.shop import API_KEY, ShopPage

PaymentsOf = Callable[[str], list[dict[str, Any]]]


def test_the_page_shows_the_order(page: Page, make_order: MakeOrder, open_checkout: OpenCheckout) -> None:
    order_id = make_order(50_000)
    checkout = open_checkout(page, order_id)
    expect(checkout.part("order-amount")).to_have_text("₹500.00")
    expect(checkout.part("order-id")).to_have_text(order_id)
    expect(checkout.pay_button("upi")).to_have_text("Pay ₹500")
    expect(checkout.part("vpa-input")).to_have_attribute("placeholder", "username@bank")
    expect(checkout.part("method-card")).to_have_attribute("data-method", "card")


def test_upi_succeeds(page: Page, make_order: MakeOrder, open_checkout: OpenCheckout, payments_of: PaymentsOf) -> None:
    order_id = make_order()
    checkout = open_checkout(page, order_id)
    checkout.pay_by_upi("success@upi")
    payment_id = checkout.payment_id()
    expect(checkout.part("success-message")).to_have_text("Your payment has been processed successfully")
    assert [(payment["id"], payment["status"]) for payment in payments_of(order_id)] == [(payment_id, "success")]


def test_a_card_succeeds_in_the_modal_and_the_merchant_can_trust_it(shop: ShopPage, make_order: MakeOrder) -> None:
    order_id = make_order()
    checkout = shop.visit(order_id).buy()
    checkout.pay_by_card()
    expect(checkout.part("processing-message")).to_have_text("Processing payment...")
    payment_id = checkout.payment_id()
    result = shop.wait_for_event("success")
    assert (result["orderId"], result["paymentId"]) == (order_id, payment_id)
    signing_key = hmac.new(API_SECRET.encode(), b"checkout-signature", hashlib.sha256).hexdigest()
    assert razorpay.Client(auth=(API_KEY, signing_key)).utility.verify_payment_signature(
        {
            "razorpay_order_id": order_id,
            "razorpay_payment_id": payment_id,
            "razorpay_signature": result["signature"],
        }
    )
    assert shop.modals == 0
    assert [event[0] for event in shop.events()] == ["success", "close"]


@pytest.mark.parametrize(
    ("number", "says"),
    [("4000000000000002", "declined this card"), ("4000000000009995", "not enough money")],
)
def test_a_declined_card_says_why_and_can_be_tried_again(
    shop: ShopPage, make_order: MakeOrder, payments_of: PaymentsOf, number: str, says: str
) -> None:
    order_id = make_order()
    checkout = shop.visit(order_id).buy()
    checkout.pay_by_card(number)
    checkout.expect_state("error")
    expect(checkout.part("error-message")).to_contain_text(says)
    failure = shop.wait_for_event("failure")
    assert failure["code"] == "PAYMENT_FAILED"
    assert failure["description"]
    assert shop.modals == 1

    checkout.part("retry-button").click()
    expect(checkout.part("card-number-input")).to_have_value("4000 0000 0000 " + number[-4:])
    expect(checkout.part("cvv-input")).to_have_value("")
    checkout.pay_by_card()
    payment_id = checkout.payment_id()
    shop.wait_for_event("success")
    by_status = {payment["status"]: payment["id"] for payment in payments_of(order_id)}
    assert by_status == {"failed": failure["paymentId"], "success": payment_id}


def test_a_declined_upi_payment_can_be_tried_again(
    page: Page, make_order: MakeOrder, open_checkout: OpenCheckout
) -> None:
    checkout = open_checkout(page, make_order())
    checkout.pay_by_upi("failure@upi")
    checkout.expect_state("error")
    checkout.part("retry-button").click()
    checkout.pay_by_upi("success@upi")
    checkout.expect_state("success")


def test_mistakes_are_shown_at_the_field_and_nothing_is_sent(
    page: Page, make_order: MakeOrder, open_checkout: OpenCheckout, payments_of: PaymentsOf
) -> None:
    order_id = make_order()
    checkout = open_checkout(page, order_id)
    checkout.pay_by_upi("no-bank")
    expect(checkout.locator("#vpa-error")).to_contain_text("username@bank")
    expect(checkout.part("vpa-input")).to_be_focused()
    expect(checkout.part("vpa-input")).to_have_attribute("aria-invalid", "true")
    checkout.fill_card("4242424242424241", expiry="13/30", cvv="12", name=" ")
    checkout.pay_button("card").click()
    for field in ("card-number", "expiry", "cvv", "holder"):
        expect(checkout.locator(f"#{field}-error")).not_to_be_empty()
    expect(checkout.part("card-number-input")).to_be_focused()
    assert payments_of(order_id) == []


def test_the_number_is_grouped_and_the_network_known_while_typing(
    page: Page, make_order: MakeOrder, open_checkout: OpenCheckout
) -> None:
    checkout = open_checkout(page, make_order())
    checkout.part("method-card").click()
    number = checkout.part("card-number-input")
    number.press_sequentially("378282246310005")
    expect(number).to_have_value("3782 822463 10005")
    expect(checkout.locator("#card-network")).to_have_text("American Express card")
    number.fill("")
    number.press_sequentially("5555-5555 55554444")
    expect(number).to_have_value("5555 5555 5555 4444")
    expect(checkout.locator("#card-mark use")).to_have_attribute("href", "#mark-mastercard")
    checkout.part("expiry-input").press_sequentially("829")
    expect(checkout.part("expiry-input")).to_have_value("08/29")
    # A digit mended in the middle leaves the caret where it was.
    number.evaluate("node => { node.focus(); node.setSelectionRange(2, 2) }")
    page.keyboard.press("Backspace")
    page.keyboard.type("1")
    expect(number).to_have_value("5155 5555 5555 4444")
    assert number.evaluate("node => node.selectionStart") == 2


def test_a_bank_handle_completes_the_upi_id(page: Page, make_order: MakeOrder, open_checkout: OpenCheckout) -> None:
    checkout = open_checkout(page, make_order())
    checkout.part("vpa-input").fill("asha@ok")
    expect(checkout.locator(".handle:visible")).to_have_text(["@okaxis", "@oksbi"])
    checkout.locator(".handle").get_by_text("@oksbi").click()
    expect(checkout.part("vpa-input")).to_have_value("asha@oksbi")


def test_a_simulated_scan_pays(page: Page, make_order: MakeOrder, open_checkout: OpenCheckout) -> None:
    checkout = open_checkout(page, make_order())
    checkout.locator("#scan-toggle").click()
    expect(checkout.locator("#qr svg")).to_be_visible()
    checkout.locator("#simulate-scan").click()
    checkout.expect_state("success")
