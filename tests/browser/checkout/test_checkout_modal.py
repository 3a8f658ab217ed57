"""The SDK's modal on a shop's page: its markup, its focus, its messages."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect
from tests.browser.checkout.conftest import MakeOrder, Watch
from tests.browser.checkout.payment_page import PaymentPage
from tests.browser.checkout.serving import served
from tests.browser.checkout.shop import API_KEY, ShopPage, make_shop
from tests.browser.checkout.standalone import Orders, an_order

from gateway_local.stack import Stack

# What a shopper can reach: the shop's own elements must not be among them while the modal is open.
FOCUSED = "document.activeElement.dataset.testId ?? document.activeElement.tagName"


def frame_of(shop: ShopPage) -> Frame:
    handle = shop.page.wait_for_selector("[data-test-id=payment-iframe]")
    frame = handle.content_frame() if handle else None
    assert frame
    return frame


def test_markup(shop: ShopPage, make_order: MakeOrder, stack: Stack) -> None:
    order_id = make_order()
    shop.visit(order_id).buy()
    modal = shop.page.locator("body > div#payment-gateway-modal[data-test-id=payment-modal]")
    expect(modal).to_have_attribute("role", "dialog")
    expect(modal).to_have_attribute("aria-modal", "true")
    iframe = modal.locator("> .modal-overlay > .modal-content > iframe[data-test-id=payment-iframe]")
    source = f"{stack.urls['checkout']}/checkout?order_id={order_id}&key={API_KEY}&embedded=true"
    expect(iframe).to_have_attribute("src", source)
    expect(modal.locator(".modal-content > button.close-button[data-test-id=close-modal-button]")).to_have_text("×")
    shop.page.evaluate("window.checkout.open()")
    assert shop.modals == 1


@pytest.mark.parametrize("options", ["undefined", "{}", "{key: 'k'}", "{orderId: 'o'}", "{key: '', orderId: 'o'}"])
def test_missing_options_are_a_clear_type_error(shop: ShopPage, options: str) -> None:
    shop.visit("order_any")
    error = shop.page.evaluate(
        f"() => {{ try {{ new PaymentGateway({options}) }} catch (error) {{ return [error.name, error.message] }} }}"
    )
    assert error[0] == "TypeError"
    assert "is required" in error[1]


def test_focus_goes_in_stays_in_and_comes_back(shop: ShopPage, make_order: MakeOrder) -> None:
    checkout = shop.visit(make_order()).buy()
    expect(checkout.part("vpa-input")).to_be_focused()
    assert shop.page.evaluate("getComputedStyle(document.documentElement).overflow") == "hidden"
    for key in ["Tab"] * 18 + ["Shift+Tab"] * 18:
        shop.page.keyboard.press(key)
        # Between the last and the first stop a browser may rest on the document itself, never on the shop.
        assert shop.page.evaluate(FOCUSED) in {"payment-iframe", "close-modal-button", "BODY"}
    shop.page.evaluate("document.getElementById('buy').focus()")
    assert shop.page.evaluate(FOCUSED) != "BUTTON"

    checkout.part("vpa-input").focus()
    shop.page.keyboard.press("Escape")
    expect(shop.page.locator("#payment-gateway-modal")).to_have_count(0)
    expect(shop.page.locator("#buy")).to_be_focused()
    assert shop.page.evaluate("document.documentElement.style.overflow") == ""
    assert shop.events() == [["close"]]
    # The page behind is whole again.
    shop.page.keyboard.press("Shift+Tab")
    expect(shop.page.get_by_role("link", name="Terms")).to_be_focused()


def test_keyboard_alone_pays(shop: ShopPage, make_order: MakeOrder) -> None:
    shop.visit(make_order())
    keys = shop.page.keyboard
    shop.page.focus("#buy")
    keys.press("Enter")
    expect(shop.checkout.part("vpa-input")).to_be_focused()
    keys.press("Shift+Tab")
    keys.press("ArrowRight")
    expect(shop.checkout.part("method-card")).to_have_attribute("aria-selected", "true")
    for text in ("4000000000000002", "1239", "123", "Asha Rao"):
        keys.press("Tab")
        keys.type(text)
    keys.press("Enter")
    shop.checkout.expect_state("error")
    expect(shop.checkout.locator("[data-view=error] .title")).to_be_focused()
    keys.press("Tab")
    expect(shop.checkout.part("retry-button")).to_be_focused()
    keys.press("Enter")
    expect(shop.checkout.part("card-number-input")).to_be_focused()
    keys.press("Shift+Tab")
    keys.press("ArrowLeft")
    keys.press("Tab")
    keys.type("success@upi")
    keys.press("Enter")
    shop.checkout.expect_state("success")
    shop.wait_for_event("success")
    expect(shop.page.locator("#buy")).to_be_focused()


def test_messages_of_others_are_ignored(shop: ShopPage, make_order: MakeOrder, stack: Stack) -> None:
    shop.visit(make_order()).buy().expect_state("form")
    forged = "{type: 'payment_success', data: {paymentId: 'pay_forged', orderId: 'o', signature: 's'}}"
    # The shop's own page: wrong origin and wrong source.
    shop.page.evaluate(f"window.postMessage({forged}, '*')")
    # The right origin, but not the frame that the modal holds.
    shop.page.evaluate(
        """source => new Promise(resolve => {
          const frame = document.createElement('iframe');
          frame.src = source; frame.id = 'other'; frame.onload = resolve; document.body.append(frame);
        })""",
        f"{stack.urls['checkout']}/checkout?order_id=order_test_123",
    )
    other = shop.page.query_selector("#other")
    sibling = other.content_frame() if other else None
    assert sibling
    sibling.evaluate(f"parent.postMessage({forged}, '*')")
    sibling.evaluate("parent.postMessage({type: 'close_modal'}, '*')")
    # The right source, but no longer the right origin.
    modal_frame = frame_of(shop)
    modal_frame.evaluate("parent.postMessage({type: 'resize', data: {height: 311}}, '*')")
    shop.page.wait_for_function("document.querySelector('[data-test-id=payment-iframe]').style.height === '311px'")
    shop.page.evaluate(
        """forged => window.dispatchEvent(new MessageEvent('message', {
          data: forged, origin: 'http://evil.test',
          source: document.querySelector('[data-test-id=payment-iframe]').contentWindow }))""",
        {"type": "close_modal"},
    )
    assert shop.modals == 1
    assert shop.events() == []


def test_the_frame_posts_to_the_embedding_origin_only(shop: ShopPage, make_order: MakeOrder, page: Page) -> None:
    page.context.add_init_script(
        """if (window.parent !== window) {
          const real = window.parent;
          window.targets = [];
          window.parent = { postMessage(message, target) {
            targets.push([message.type, target]);
            real.postMessage(message, target);
          } };
        }"""
    )
    checkout = shop.visit(make_order()).buy()
    checkout.pay_by_upi("failure@upi")
    checkout.expect_state("error")
    checkout.part("retry-button").click()
    checkout.pay_by_upi("success@upi")
    checkout.expect_state("success")
    targets = frame_of(shop).evaluate("targets")
    shop.wait_for_event("success")
    assert {kind for kind, _ in targets} >= {"resize", "payment_failed"}
    assert {target for _, target in targets} == {shop.address.rstrip("/")}


def test_another_site_may_embed_it_too(
    page: Page, make_order: MakeOrder, stack: Stack, payments_of: Callable[[str], list[object]]
) -> None:
    """`127.0.0.1` and `localhost` are different sites: the frame is a third party with storage of its own."""
    order_id = make_order()
    with served(make_shop(stack.urls["checkout"])) as port:
        shop = ShopPage(page, f"http://127.0.0.1:{port}/").visit(order_id)
        shop.buy().pay_by_upi("success@upi")
        assert shop.wait_for_event("success")["orderId"] == order_id
    assert len(payments_of(order_id)) == 1


def test_loaded_twice_the_first_copy_stays(shop: ShopPage) -> None:
    assert shop.visit("order_any").page.evaluate("window.FirstCopy === window.PaymentGateway")


@pytest.mark.parametrize("viewport", [{"width": 360, "height": 740}, {"width": 1200, "height": 860}])
def test_the_merchants_wishes_reach_the_page(
    make_context: Callable[..., BrowserContext], shop_address: str, make_order: MakeOrder, viewport: dict[str, int]
) -> None:
    shop = ShopPage(make_context(viewport=viewport).new_page(), shop_address)
    checkout = shop.visit(
        make_order(129_950),
        locale="hi",
        theme={"color": "#0f7b6c", "mode": "dark"},
        prefill={"method": "card", "name": "Asha Rao"},
    ).buy()
    expect(checkout.pay_button("card")).to_have_text("₹1,299.50 का भुगतान करें")
    expect(checkout.part("cardholder-name-input")).to_have_value("Asha Rao")
    expect(checkout.pay_button("card")).to_have_css("background-color", "rgb(15, 123, 108)")
    expect(checkout.locator("body")).to_have_css("background-color", "rgb(21, 26, 35)")
    checkout.locator("#language").click()
    expect(checkout.pay_button("card")).to_have_text("Pay ₹1,299.50")
    expect(checkout.part("success-message")).to_have_text("Your payment has been processed successfully")


def test_outside_test_mode_only_the_merchants_own_sites_may_frame_it(
    browser: Browser, page: Page, orders: Orders, lone_checkout: str, new_id: Callable[[], str], watch: Watch
) -> None:
    with served(make_shop(lone_checkout)) as honest, served(make_shop(lone_checkout)) as hostile:
        merchant = {"name": "Chai & Books", "allowed_frame_origins": [f"http://localhost:{honest}"]}
        order = an_order(new_id(), test_mode=False, merchant=merchant)
        orders.put(order)
        ShopPage(page, f"http://localhost:{honest}/").visit(order["id"]).buy().expect_state("form")

        context = browser.new_context()  # its complaint about the refused frame is what is wanted
        shop = ShopPage(context.new_page(), f"http://localhost:{hostile}/").visit(order["id"])
        with shop.page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            shop.page.click("#buy")
        expect(shop.checkout.part("checkout-container")).to_have_count(0)
        context.close()
    direct = httpx.get(f"{lone_checkout}/checkout", params={"order_id": order["id"]})
    assert f"frame-ancestors http://localhost:{honest};" in direct.headers["content-security-policy"]
    page.goto(f"{lone_checkout}/checkout?order_id={order['id']}")
    PaymentPage(page).expect_state("form")
