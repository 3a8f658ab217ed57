"""Merchants with an account at the dashboard, and browsers that are signed in as they are."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.browser.checkout.chromium import launch
from tests.browser.dashboard.shopkeeper import Shopkeeper, sign_up

from gateway_local.stack import Stack

ACTION_TIMEOUT_MS = 10_000
# Reports what the page's own policy stopped, wherever the console does not.
_REPORT_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', (event) =>
  console.error('CSP violation', event.violatedDirective, event.blockedURI));
"""

NewShopkeeper = Callable[[], Shopkeeper]
Enter = Callable[..., Page]
MakeContext = Callable[..., BrowserContext]


@pytest.fixture(scope="module")
def browser(stack: Stack) -> Iterator[Browser]:
    """After the stack, and for one module: while Playwright runs, its event loop holds the thread, and no other can start
    in it. Package scope would last to the end of the session here, and break every asynchronous test after it."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def new_shopkeeper(stack: Stack) -> Iterator[NewShopkeeper]:
    made: list[Shopkeeper] = []

    def make() -> Shopkeeper:
        made.append(sign_up(stack, f"Shop {secrets.token_hex(3)}"))
        return made[-1]

    yield make
    for shopkeeper in made:
        shopkeeper.close()


@pytest.fixture
def shopkeeper(new_shopkeeper: NewShopkeeper) -> Shopkeeper:
    return new_shopkeeper()


class Watch:
    """Collects what a page must not do: throw, break its own policy, or call a third host."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.expected: tuple[str, ...] = ()

    def follow(self, context: BrowserContext) -> None:
        context.add_init_script(_REPORT_VIOLATIONS)
        context.on("weberror", lambda error: self.complaints.append(f"threw: {error.error}"))
        context.on("console", lambda message: self._hear(message.type, message.text))
        context.on("request", lambda request: self._see(request.url))

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and not any(one in text for one in self.expected):
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
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        context.set_default_timeout(ACTION_TIMEOUT_MS)
        watch.follow(context)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def enter(stack: Stack, make_context: Callable[..., BrowserContext]) -> Enter:
    """A page of a browser that carries the shopkeeper's session; `enter(shopkeeper, "/dashboard")`."""

    def go(shopkeeper: Shopkeeper, path: str = "/dashboard", **settings: Any) -> Page:
        context = make_context(base_url=stack.urls["dashboard"], **settings)
        context.add_cookies([shopkeeper.cookie(stack.urls["dashboard"])])
        page = context.new_page()
        page.goto(path)
        return page

    return go
