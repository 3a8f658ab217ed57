"""Changes appear by themselves, in every open window, and come back after the broker was away."""

from __future__ import annotations

import time

from playwright.sync_api import Page, expect
from tests.browser.dashboard.conftest import Enter
from tests.browser.dashboard.shopkeeper import Shopkeeper, is_live, part

from gateway_local.stack import Stack


def _windows(shopkeeper: Shopkeeper, enter: Enter, count: int) -> list[Page]:
    first = enter(shopkeeper, "/dashboard/transactions")
    pages = [first, *(first.context.new_page() for _ in range(count - 1))]
    for page in pages[1:]:
        page.goto("/dashboard/transactions")
    for page in pages:
        is_live(page)
        # The moment a row is drawn, by the page's own clock: looking from here would take longer than that.
        page.evaluate("""() => {
            window.drawn = {};
            new MutationObserver(() => {
                for (const row of document.querySelectorAll('[data-payment-id]')) drawn[row.dataset.paymentId] ??= Date.now();
            }).observe(document.getElementById('main'), {childList: true, subtree: true});
        }""")
    return pages


def test_a_payment_made_elsewhere_shows_up_within_a_second_in_three_windows(
    shopkeeper: Shopkeeper, enter: Enter
) -> None:
    pages = _windows(shopkeeper, enter, 3)
    best = 99.0
    for _ in range(3):  # the machine that runs the tests has other work: the best of three says what the code does
        payment = shopkeeper.pay()
        accepted = time.time() * 1000
        for page in pages:
            expect(page.locator(f'[data-payment-id="{payment}"]')).to_be_visible()
        best = min(best, *[max(page.evaluate(f"drawn['{payment}']") for page in pages) - accepted])
        for page in pages:
            expect(part(page.locator(f'[data-payment-id="{payment}"]'), "status")).to_have_text("success")
        if best < 1000:
            break
    assert best < 1000, f"{best:.0f} ms"


def test_a_fifth_window_goes_on_by_polling(shopkeeper: Shopkeeper, enter: Enter) -> None:
    pages = _windows(shopkeeper, enter, 5)
    payment = shopkeeper.pay()
    for page in pages:
        expect(page.locator(f'[data-payment-id="{payment}"]')).to_be_visible(timeout=8_000)


def test_windows_follow_again_after_the_broker_was_away(shopkeeper: Shopkeeper, enter: Enter, stack: Stack) -> None:
    (page,) = _windows(shopkeeper, enter, 1)
    stack.hold("rabbitmq")
    try:
        payment = shopkeeper.pay()
        page.reload()
        expect(page.locator(f'[data-payment-id="{payment}"]')).to_be_visible()
    finally:
        stack.release("rabbitmq")
        stack.wait_healthy()
    is_live(page)
    row = page.locator(f'[data-payment-id="{payment}"]')
    expect(part(row, "status")).to_have_text("success", timeout=30_000)


def test_sign_out_in_one_window_closes_the_others(shopkeeper: Shopkeeper, enter: Enter) -> None:
    first, second = _windows(shopkeeper, enter, 2)
    part(first, "logout-button").click()
    expect(part(second, "login-form")).to_be_visible()
