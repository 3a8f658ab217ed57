"""What a merchant does all day, in a browser."""

from __future__ import annotations

import re
import time

import httpx
from playwright.sync_api import Page, expect
from tests.browser.dashboard.conftest import Enter, MakeContext, NewShopkeeper, Watch
from tests.browser.dashboard.shopkeeper import PASSWORD, Shopkeeper, is_live, part

from gateway_local.stack import Stack


def test_sign_in_with_the_test_merchant_by_keyboard(stack: Stack, make_context: MakeContext) -> None:
    page: Page = make_context(base_url=stack.urls["dashboard"]).new_page()
    page.goto("/")
    expect(part(page, "login-form")).to_be_visible()
    part(page, "email-input").focus()
    page.keyboard.type("test@example.com")
    page.keyboard.press("Tab")
    page.keyboard.type("test_password_123")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(part(page, "dashboard")).to_be_visible()
    expect(part(page, "api-key")).to_have_text("key_test_abc123")
    expect(part(page, "api-secret")).to_have_text("secret_test_xyz789")
    assert re.fullmatch(r"₹[\d,]+(\.\d\d)?", part(page, "total-amount").inner_text())
    assert re.fullmatch(r"\d+%", part(page, "success-rate").inner_text())
    expect(part(page, "worker-status")).to_have_attribute("data-status", "running")
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert cookies["dashboard_session"]["httpOnly"]
    assert cookies["dashboard_session"]["sameSite"] == "Lax"
    assert page.evaluate("document.cookie") == ""
    part(page, "logout-button").click()
    expect(part(page, "login-form")).to_be_visible()


def test_the_numbers_of_known_payments_and_a_refund(shopkeeper: Shopkeeper, enter: Enter) -> None:
    amounts = [4_00_00_000, 1_00_00_000, 50_050]
    paid = [shopkeeper.pay(amount) for amount in amounts]
    failed = shopkeeper.pay(99_900, "failure@upi")
    shopkeeper.settled(*paid, failed)
    page = enter(shopkeeper)
    expect(part(page, "total-transactions")).to_have_text("4")
    expect(part(page, "total-amount")).to_have_text("₹5,00,500.50")
    expect(part(page, "success-rate")).to_have_text("75%")

    page.goto("/dashboard/transactions")
    row = page.locator(f'[data-payment-id="{failed}"]')
    expect(part(row, "status")).to_have_text("failed")
    expect(part(row, "amount")).to_have_text("₹999")
    part(page, "search-input").fill(paid[2])
    part(page, "filter-button").click()
    expect(part(page, "transaction-row")).to_have_count(1)
    part(page, "payment-id").get_by_role("link").click()
    is_live(page)
    expect(part(page, "timeline-entry").first).to_be_visible()
    services = part(page, "payment-timeline").locator(".service").all_inner_texts()
    assert {"payments-api", "processor"} <= set(services)

    part(page, "refund-amount-input").fill("200.50")
    part(page, "refund-reason-input").fill("Came broken")
    part(page, "refund-button").click()
    part(page, "confirm-button").click()
    expect(part(page, "notice")).to_contain_text("₹200.50")
    expect(part(page, "refund-status")).to_have_text("processed", timeout=15_000)
    expect(part(page, "amount-refunded")).to_contain_text("₹200.50")
    expect(part(page, "refundable")).to_have_text("₹300")
    part(page, "refund-amount-input").fill("300.01")
    part(page, "refund-button").click()
    part(page, "confirm-button").click()
    expect(part(page, "notice")).to_contain_text("exceeds")
    page.goto("/dashboard/refunds")
    expect(part(page, "refunds-table")).to_contain_text("Came broken")
    page.goto("/dashboard")
    expect(part(page, "total-refunded")).to_have_text("₹200.50")


def test_capture_and_cancel(shopkeeper: Shopkeeper, enter: Enter) -> None:
    first, second = shopkeeper.pay(10_000), shopkeeper.pay(20_000)
    shopkeeper.settled(first, second)
    page = enter(shopkeeper, f"/dashboard/transactions/{first}")
    part(page, "capture-button").click()
    part(page, "confirm-button").click()
    expect(part(page, "notice")).to_have_text("Captured ₹100.")
    page.goto(f"/dashboard/transactions/{second}")
    part(page, "cancel-button").click()
    part(page, "confirm-button").click()
    expect(part(page, "payment-status")).to_have_text("cancelled")
    assert shopkeeper.api.get(f"/payments/{second}").json()["status"] == "cancelled"


def test_a_webhook_fails_is_seen_and_retried_to_green(shopkeeper: Shopkeeper, enter: Enter) -> None:
    page = enter(shopkeeper, "/dashboard/webhooks")
    part(page, "use-inspector-button").click()
    part(page, "save-webhook-button").click()
    expect(part(page, "webhook-url-input")).to_have_value(re.compile(r"/inspector/[\w-]{32}$"))
    page.goto("/dashboard/inspector")
    part(page, "inspector-answer").select_option("500")
    part(page, "inspector-save-button").click()
    expect(part(page, "notice")).to_contain_text("500")

    page.goto("/dashboard/webhooks")
    part(page, "test-webhook-button").click()
    row = part(page, "webhook-log-item").first
    expect(part(row, "webhook-event")).to_have_text("webhook.test")
    expect(part(row, "webhook-response-code")).to_have_text("500")
    expect(part(row, "webhook-status")).to_have_text("pending")
    part(row, "webhook-event").get_by_role("link").click()
    expect(part(page, "webhook-attempt").first).to_contain_text("500")

    page.goto("/dashboard/inspector")
    expect(part(page, "inspection").first).to_have_attribute("data-verified", "true")
    part(page, "inspector-answer").select_option("200")
    part(page, "inspector-save-button").click()
    page.goto("/dashboard/webhooks")
    row = part(page, "webhook-log-item").first
    part(row, "retry-webhook-button").click()
    expect(part(page, "notice")).to_contain_text("sent again")
    row = part(page, "webhook-log-item").first
    expect(part(row, "webhook-status")).to_have_text("success")
    expect(part(row, "webhook-response-code")).to_have_text("200")

    before = part(page, "webhook-secret").inner_text()
    part(page, "regenerate-secret-button").click()
    part(page, "confirm-button").click()
    expect(part(page, "webhook-secret")).not_to_have_text(before)
    part(page, "test-webhook-button").click()
    page.goto("/dashboard/inspector")
    expect(part(page, "inspection")).to_have_count(3)
    expect(page.locator('[data-test-id=inspection][data-verified="false"]')).to_have_count(0)


def test_many_webhooks_are_sent_again_with_progress(shopkeeper: Shopkeeper, enter: Enter) -> None:
    page = enter(shopkeeper, "/dashboard/inspector")
    part(page, "inspector-use-button").click()
    payments = [shopkeeper.pay() for _ in range(3)]
    shopkeeper.settled(*payments)
    page.goto("/dashboard/webhooks?status=success")
    expect(part(page, "webhook-log-item")).to_have_count(9, timeout=15_000)
    form = part(page, "replay-form")
    form.locator("[name=status]").select_option("success")
    form.locator("[name=event]").select_option("payment.success")
    part(page, "replay-button").click()
    part(page, "confirm-button").click()
    expect(part(page, "replay-total")).to_have_text("3")
    expect(part(page, "replay-progress")).to_have_attribute("data-status", "completed", timeout=15_000)
    expect(part(page, "replay-queued")).to_have_text("3")


def test_keys_are_rotated_and_the_old_one_stops(shopkeeper: Shopkeeper, enter: Enter, stack: Stack) -> None:
    page = enter(shopkeeper, "/dashboard/settings")
    expect(part(page, "api-key-row")).to_have_count(1)
    part(page, "create-key-button").click()
    key, secret = part(page, "new-api-key").inner_text(), part(page, "new-api-secret").inner_text()
    fresh = {"X-Api-Key": key, "X-Api-Secret": secret}
    assert httpx.get(f"{stack.urls['api']}/merchant", headers=fresh).status_code == 200
    page.goto("/dashboard/settings")
    assert secret not in page.content(), "a secret is shown once"
    old = page.locator(f'[data-key="{shopkeeper.api_key}"]')
    part(old, "revoke-key-button").click()
    part(page, "confirm-button").click()
    expect(part(page, "api-key-row")).to_have_count(1)
    time.sleep(5)
    assert shopkeeper.api.get("/merchant").status_code == 401
    assert shopkeeper.api.get("/webhooks").status_code == 401
    assert httpx.get(f"{stack.urls['api']}/webhooks", headers=fresh).status_code == 200


def test_demo_store_from_buy_now_to_the_verified_webhook(new_shopkeeper: NewShopkeeper, enter: Enter) -> None:
    page = enter(new_shopkeeper(), "/dashboard/store")
    is_live(page)
    page.evaluate("window.isTheSamePage = true")
    part(page, "buy-now-button").first.click()
    checkout = page.frame_locator('[data-test-id="payment-iframe"]')
    checkout.locator('[data-test-id="method-upi"]').click()
    checkout.locator('[data-test-id="vpa-input"]').fill("success@upi")
    checkout.locator('[data-test-id="upi-form"] [data-test-id="pay-button"]').click()
    expect(part(page, "store-result")).to_have_attribute("data-status", "success", timeout=15_000)
    arrived = page.locator('[data-test-id=inspection][data-event="payment.success"][data-verified="true"]')
    expect(arrived).to_have_count(1, timeout=15_000)
    assert page.evaluate("window.isTheSamePage"), "all of it without a reload"


def test_checkout_shortcut_opens_a_fresh_order(stack: Stack, make_context: MakeContext) -> None:
    page: Page = make_context(base_url=stack.urls["dashboard"]).new_page()
    page.goto("/checkout")
    expect(part(page, "checkout-container")).to_be_visible()
    expect(part(page, "order-amount")).to_have_text("₹499.00")


def test_orders_have_a_checkout_link(shopkeeper: Shopkeeper, enter: Enter, stack: Stack) -> None:
    page = enter(shopkeeper, "/dashboard/orders")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    part(page, "order-amount-input").fill("1,250.50")
    part(page, "create-order-button").click()
    row = part(page, "order-row").first
    expect(part(row, "amount")).to_have_text("₹1,250.50")
    part(row, "copy-checkout-link").click()
    expect(part(row, "copy-checkout-link")).to_have_text("Copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{stack.urls['checkout']}/checkout?order_id={row.get_attribute('data-order-id')}"


def test_sign_up_and_a_new_password_in_the_browser(stack: Stack, make_context: MakeContext, watch: Watch) -> None:
    watch.expected = ("status of 400",)
    page: Page = make_context(base_url=stack.urls["dashboard"]).new_page()
    page.goto("/signup")
    email = f"new-{time.time_ns()}@example.com"
    part(page, "name-input").fill("Corner <b>Shop</b>")
    part(page, "email-input").fill(email)
    part(page, "password-input").fill(PASSWORD)
    part(page, "signup-button").click()
    expect(part(page, "new-api-secret")).to_contain_text("secret_test_")
    page.goto("/dashboard/settings")
    expect(page.get_by_text("Corner <b>Shop</b>")).to_be_visible()
    part(page, "current-password-input").fill(PASSWORD)
    part(page, "new-password-input").fill("another five words here")
    part(page, "change-password-button").click()
    expect(part(page, "notice")).to_contain_text("is changed")
    part(page, "logout-button").click()
    part(page, "email-input").fill(email)
    part(page, "password-input").fill(PASSWORD)
    part(page, "login-button").click()
    expect(part(page, "login-error")).to_contain_text("do not match")
