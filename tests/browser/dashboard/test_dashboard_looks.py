"""Every page, wide and narrow, light and dark: complete, accessible, within its width, and photographed.

The pictures are in `.screenshots/`; somebody looks at them before a release.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page
from tests.browser.checkout.axe import violations
from tests.browser.dashboard.conftest import Enter, NewShopkeeper, Watch
from tests.browser.dashboard.shopkeeper import Shopkeeper

from gateway_local.stack import wait_until

_CONTRAST = """axe.run(document, {runOnly: ['color-contrast']}).then(found =>
    found.violations.flatMap(one => one.nodes.map(node => node.target.join(' ') + ' ' + node.failureSummary)))"""
PICTURES = Path(__file__).parents[3] / ".screenshots"
SIZES = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 360, "height": 740}}
# The contract's attributes (WEB.md, Dashboard), by page.
PARTS = {
    "overview": "dashboard api-credentials api-key api-secret stats-container total-transactions total-amount"
    " success-rate",
    "transactions": "transactions-table transaction-row payment-id order-id amount method status created-at",
    "refunds": "refunds-table",
    "webhooks": "webhook-config webhook-config-form webhook-url-input webhook-secret regenerate-secret-button"
    " save-webhook-button test-webhook-button webhook-logs-table webhook-log-item webhook-event webhook-status"
    " webhook-attempts webhook-last-attempt webhook-response-code retry-webhook-button",
    "docs": "api-docs section-create-order code-snippet-create-order section-sdk-integration code-snippet-sdk"
    " section-webhook-verification code-snippet-webhook",
}


@pytest.fixture(scope="module")
def pages(new_shopkeeper: NewShopkeeper) -> tuple[Shopkeeper, dict[str, str]]:
    """A merchant with something on every page, and where the pages are."""
    owner = new_shopkeeper()
    owner.send("/dashboard/inspector/use")
    owner.api.post("/webhook-endpoints", json={"url": "http://127.0.0.1:4000/refunds", "events": ["refund.processed"]})
    owner.api.post("/orders", json={"amount": 1_25_050, "receipt": "Invoice 2041"})
    paid = [owner.pay(amount) for amount in (49_900, 1_24_950, 3_79_900)]
    card = {"number": "4242424242424242", "expiry_month": "12", "expiry_year": "2039", "cvv": "123", "holder_name": "A"}
    paid += [owner.pay(64_950, method="card", card=card), owner.pay(99_900, "failure@upi")]
    owner.settled(*paid)
    refund = owner.api.post(f"/payments/{paid[0]}/refunds", json={"amount": 10_000, "reason": "Came broken"})
    assert refund.status_code == 201, refund.text
    wait_until(lambda: owner.api.get("/webhooks").json()["total"] >= 15, what="the webhooks of five payments")
    delivery = owner.api.get("/webhooks").json()["data"][0]["id"]
    endpoint = owner.api.get("/webhook-endpoints").json()["data"][0]["id"]
    replay = owner.api.post("/webhooks/replay", json={"since": 0, "status": "success"}).json()["id"]
    return owner, {
        "overview": "/dashboard",
        "transactions": "/dashboard/transactions",
        "payment": f"/dashboard/transactions/{paid[0]}",
        "failed-payment": f"/dashboard/transactions/{paid[-1]}",
        "refunds": "/dashboard/refunds",
        "orders": "/dashboard/orders",
        "webhooks": "/dashboard/webhooks",
        "delivery": f"/dashboard/webhooks/deliveries/{delivery}",
        "endpoint": f"/dashboard/webhooks/endpoints/{endpoint}",
        "replay": f"/dashboard/webhooks/replays/{replay}",
        "inspector": "/dashboard/inspector",
        "store": f"/dashboard/store?payment={paid[0]}",
        "docs": "/dashboard/docs",
        "settings": "/dashboard/settings",
    }


def _check(page: Page, name: str, size: str) -> list[str]:
    """Everything in light; in dark what may differ there, the colours."""
    page.wait_for_load_state("load")
    PICTURES.mkdir(exist_ok=True)
    page.emulate_media(color_scheme="light")
    wrong = [f"{name}: {one}" for one in violations(page)]
    page.screenshot(path=PICTURES / f"dashboard-{name}-{size}-light.png", full_page=True)
    page.emulate_media(color_scheme="dark")
    wrong += [f"{name} in dark: {one}" for one in page.evaluate(_CONTRAST)]
    page.screenshot(path=PICTURES / f"dashboard-{name}-{size}-dark.png", full_page=True)
    if (over := page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
        wrong.append(f"{name}: {over} px wider than the window")
    return wrong


@pytest.mark.parametrize("size", SIZES)
def test_pages_are_accessible_and_fit(pages: tuple[Shopkeeper, dict[str, str]], enter: Enter, size: str) -> None:
    owner, paths = pages
    page = enter(owner, viewport=SIZES[size])
    wrong: list[str] = []
    for name, path in paths.items():
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        wrong += _check(page, name, size)
        wrong += [
            f"{name}: no {one}"
            for one in PARTS.get(name, "").split()
            if not page.locator(f'[data-test-id="{one}"]').count()
        ]
    assert wrong == []


def test_pages_of_a_new_merchant_and_of_visitors(new_shopkeeper: NewShopkeeper, enter: Enter, watch: Watch) -> None:
    watch.expected = ("status of 404",)
    page = enter(new_shopkeeper(), viewport=SIZES["narrow"])
    wrong: list[str] = []
    for name in ("", "/transactions", "/webhooks", "/inspector"):
        page.goto(f"/dashboard{name}")
        wrong += _check(page, f"empty{name.replace('/', '-')}", "narrow")
    page.goto("/dashboard/transactions/pay_nothing")
    wrong += _check(page, "not-found", "narrow")
    page.context.clear_cookies()
    for name in ("login", "signup"):
        page.goto(f"/{name}")
        wrong += _check(page, name, "narrow")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto("/login")
    wrong += _check(page, "login", "wide")
    assert wrong == []


def test_without_scripts_pages_and_forms_work(pages: tuple[Shopkeeper, dict[str, str]], enter: Enter) -> None:
    owner, paths = pages
    page = enter(owner, "/dashboard/orders", java_script_enabled=False)
    page.locator('[data-test-id="order-amount-input"]').fill("10")
    page.locator('[data-test-id="create-order-button"]').click()
    assert "ready to be paid" in page.locator('[data-test-id="notice"]').inner_text()
    page.goto(paths["docs"])
    assert page.locator('[data-test-id="code-snippet-webhook"] pre:visible').count() == 3
    assert "UTC" in page.goto(paths["transactions"]).text()  # type: ignore[union-attr]


def test_times_are_the_viewers_with_utc_on_hover(pages: tuple[Shopkeeper, dict[str, str]], enter: Enter) -> None:
    owner, paths = pages
    page = enter(owner, paths["transactions"], timezone_id="Asia/Kolkata", locale="en-GB")
    shown = page.locator('[data-test-id="created-at"] time').first
    moment = page.evaluate(
        "t => new Date(t).toLocaleTimeString('en-GB', {timeZone: 'Asia/Kolkata'})", shown.get_attribute("datetime")
    )
    assert moment in shown.inner_text()
    assert (shown.get_attribute("title") or "").endswith("UTC")
