"""How much a shopper's browser loads, and how soon the form can be used."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Response
from starlette.responses import HTMLResponse
from tests.browser.checkout.conftest import MakeOrder, OpenCheckout
from tests.browser.checkout.qr_reader import read
from tests.browser.checkout.serving import served
from tests.browser.checkout.shop import ShopPage

from gateway_local.stack import Stack

SDK_BUDGET = 6 * 1024
PAGE_BUDGET = 60 * 1024
OPEN_BUDGET_MS = 400
OPENINGS = 20
ROUNDS = 2

_DOCS = Path(__file__).parents[3]
_SNIPPET = re.compile(r"```html\n(.*?checkout\.js.*?)```", re.DOTALL)


def test_what_is_loaded_fits_the_budget(
    page: Page, make_order: MakeOrder, open_checkout: OpenCheckout, stack: Stack
) -> None:
    """Everything, with the parts loaded on demand: Hindi, the QR code."""
    sizes: dict[str, int] = {}
    hosts: set[str] = set()

    def weigh(response: Response) -> None:
        hosts.add(urlsplit(response.url).netloc)
        if response.url.startswith(stack.urls["checkout"]):
            assert response.headers.get("content-encoding") == "gzip"
            sizes[response.url] = len(gzip.compress(response.body()))

    page.on("response", weigh)
    checkout = open_checkout(page, make_order(), locale="hi")
    checkout.locator("#scan-toggle").click()
    checkout.locator("#qr svg").wait_for()
    assert sum(sizes.values()) <= PAGE_BUDGET
    assert hosts <= {urlsplit(stack.urls[name]).netloc for name in ("checkout", "api")}
    sdk = page.request.get(f"{stack.urls['checkout']}/checkout.js")
    assert len(gzip.compress(sdk.body())) <= SDK_BUDGET


def test_from_open_to_a_usable_form(browser: Browser, shop_address: str, make_order: MakeOrder) -> None:
    """Median of 20, each with a profile of its own and so with a cold cache; measured in the browser.

    The budget is the page's, not that of whatever else keeps the machine busy: one of two rounds has to keep it.
    """
    order_id = make_order()
    medians: list[float] = []
    while len(medians) < ROUNDS and min(medians, default=OPEN_BUDGET_MS + 1) > OPEN_BUDGET_MS:
        medians.append(median(opening_times(browser, shop_address, order_id)))
        print(f"open() to usable form: median of {OPENINGS} {medians[-1]:.0f} ms")
    assert min(medians) <= OPEN_BUDGET_MS


def opening_times(browser: Browser, shop_address: str, order_id: str) -> list[float]:
    """Milliseconds from `open()` in the shop to the form in the frame."""
    times = []
    for _ in range(OPENINGS):
        context = browser.new_context()
        context.add_init_script(
            """if (window.parent !== window) new MutationObserver(() => {
              if (document.body?.dataset.shown === 'form') window.usableAt ??= performance.timeOrigin + performance.now();
            }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-shown'] });"""
        )
        shop = ShopPage(context.new_page(), shop_address).visit(order_id)
        checkout = shop.buy()
        checkout.expect_state("form")
        usable_at = checkout.locator("body").evaluate("() => window.usableAt")
        times.append(usable_at - shop.page.evaluate("window.openedAt"))
        context.close()
    return times


@pytest.mark.parametrize("length", [0, 12, 37, 90, 110, 140, 165])
def test_the_qr_code_says_what_it_was_given(
    page: Page, make_order: MakeOrder, open_checkout: OpenCheckout, length: int
) -> None:
    """Each length needs another version; the reader shares nothing with the encoder."""
    checkout = open_checkout(page, make_order())
    address = page.locator("link[rel=modulepreload]").first.get_attribute("href") or ""
    text = "upi://pay?pa=gateway@testbank&pn=" + ("चाय और किताबें & more, " * 9).encode()[:length].decode(errors="ignore")
    modules = page.evaluate(
        "async ([path, text]) => (await import(path)).encode(text)", [address.replace("main.js", "qr.js"), text]
    )
    assert read(modules) == text
    checkout.expect_state("form")


def test_the_qr_code_on_the_page_is_the_intent_link(
    page: Page, make_order: MakeOrder, open_checkout: OpenCheckout
) -> None:
    order_id = make_order(50_005)
    checkout = open_checkout(page, order_id)
    checkout.locator("#scan-toggle").click()
    shape = checkout.locator("#qr path")
    dark = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", shape.get_attribute("d") or "")}
    side = max(x for x, _ in dark) - 3
    link = read([[(x + 4, y + 4) in dark for x in range(side)] for y in range(side)])
    assert link == checkout.locator("#intent-link").get_attribute("href")
    assert link.startswith("upi://pay?pa=")
    assert f"&tr={order_id}&am=500.05&cu=INR" in link


def documented_snippets() -> dict[str, str]:
    """The HTML that the documents tell merchants to write, by document."""
    documents = [_DOCS / "README.md", _DOCS / "docs" / "checkout.md"]
    found = {path.name: _SNIPPET.search(path.read_text(encoding="utf-8")) for path in documents if path.exists()}
    return {name: match[1] for name, match in found.items() if match}


def test_the_documented_snippet_works_as_it_is(page: Page, stack: Stack) -> None:
    snippets = documented_snippets()
    assert "checkout.md" in snippets
    for name, snippet in snippets.items():
        html = snippet.replace("http://localhost:3001", stack.urls["checkout"])
        with served(HTMLResponse(html)) as port:
            shop = ShopPage(page, f"http://localhost:{port}/")
            page.goto(shop.address)
            if page.locator("body > button").count():
                page.locator("body > button").first.click()
            with page.expect_console_message(lambda message: "pay_" in message.text):
                shop.checkout.pay_by_upi("success@upi")
            assert shop.modals == 0, name
