"""A merchant's site on an origin of its own, with a Content-Security-Policy as strict as it can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from playwright.sync_api import FrameLocator, Page
from starlette.responses import HTMLResponse, Response
from tests.browser.checkout.payment_page import PaymentPage

API_KEY = "key_test_abc123"

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>A shop</h1><p><a href="/elsewhere">Terms</a></p><button id="buy">Buy</button>
<div id="tall"></div></main><script src="{checkout}/checkout.js"></script><script src="/shop.js"></script>
<script src="{checkout}/checkout.js"></script></body></html>"""  # twice, as tag managers do

_SCRIPT = """
window.seen = [];
window.FirstCopy = window.PaymentGateway;
document.getElementById('tall').style.height = '3000px';
document.getElementById('buy').addEventListener('click', () => {
  window.openedAt = performance.timeOrigin + performance.now();
  window.checkout = new PaymentGateway({
    ...window.wanted,
    onSuccess: (result) => window.seen.push(['success', result]),
    onFailure: (failure) => window.seen.push(['failure', failure]),
    onClose: () => window.seen.push(['close']),
  });
  window.checkout.open();
});
"""


def make_shop(checkout_origin: str) -> FastAPI:
    app = FastAPI()
    policy = (
        f"default-src 'none'; script-src 'self' {checkout_origin}; frame-src {checkout_origin}; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )

    @app.get("/")
    async def page() -> Response:
        # The shop tells nobody where its visitors come from; the checkout must find its origin out all the same.
        headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
        return HTMLResponse(_PAGE.format(checkout=checkout_origin), headers=headers)

    @app.get("/shop.js")
    async def script() -> Response:
        return Response(_SCRIPT, media_type="text/javascript")

    @app.get("/favicon.ico")
    async def icon() -> Response:
        return Response(status_code=204)

    return app


@dataclass
class ShopPage:
    """The shop in one tab."""

    page: Page
    address: str

    def visit(self, order_id: str, **options: Any) -> ShopPage:
        self.page.goto(self.address)
        self.page.evaluate("wanted => { window.wanted = wanted }", {"key": API_KEY, "orderId": order_id, **options})
        return self

    def buy(self) -> PaymentPage:
        self.page.click("#buy")
        return self.checkout

    @property
    def checkout(self) -> PaymentPage:
        return PaymentPage(self.frame)

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("[data-test-id=payment-iframe]")

    @property
    def modals(self) -> int:
        return self.page.locator("#payment-gateway-modal").count()

    def events(self) -> list[list[Any]]:
        """What the merchant's callbacks got, in order."""
        seen: list[list[Any]] = self.page.evaluate("window.seen")
        return seen

    def wait_for_event(self, name: str) -> Any:
        self.page.wait_for_function("name => window.seen.some(([event]) => event === name)", arg=name)
        return next(event[1] if len(event) > 1 else None for event in self.events() if event[0] == name)
