"""A merchant's owner: signs up as a browser would, keeps the session, and has the API at hand."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.sync_api import Locator, Page

from gateway_local.stack import Stack

PASSWORD = "a password of five words"
SESSION = "dashboard_session"

Json = dict[str, Any]


@dataclass
class Shopkeeper:
    """`site` is an HTTP client with the session; `api` one with the key pair."""

    email: str
    api_key: str
    api_secret: str
    site: httpx.Client
    api: httpx.Client

    def cookie(self, url: str) -> Any:
        return {"name": SESSION, "value": self.site.cookies[SESSION], "url": url, "httpOnly": True, "sameSite": "Lax"}

    def token(self, path: str = "/dashboard/settings") -> str:
        return form_token(self.site.get(path))

    def send(self, path: str, **fields: str) -> httpx.Response:
        """Send a form with its token and a fresh attempt."""
        data = {"csrf_token": self.token(), "attempt": secrets.token_hex(16), **fields}
        return self.site.post(path, data=data)

    def pay(self, amount: int = 50_000, vpa: str = "success@upi", **fields: Any) -> str:
        """Accept a payment on an order of its own; returns its id."""
        body = {"order_id": f"ref-{secrets.token_hex(8)}", "amount": amount, "method": "upi", "vpa": vpa} | fields
        answer = self.api.post("/payments", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def settled(self, *payments: str, patience_s: float = 20) -> None:
        """Wait until none of them is pending."""
        deadline = time.monotonic() + patience_s
        for payment in payments:
            while self.api.get(f"/payments/{payment}").json()["status"] == "pending":
                assert time.monotonic() < deadline, f"{payment} is still pending"
                time.sleep(0.05)

    def close(self) -> None:
        self.site.close()
        self.api.close()


def form_token(page: httpx.Response) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page.text)
    assert found, f"{page.status_code}: {page.text[:300]}"
    return found[1]


def sign_up(stack: Stack, name: str) -> Shopkeeper:
    site = httpx.Client(base_url=stack.urls["dashboard"], headers={"Accept": "text/html"}, timeout=15)
    email = f"{secrets.token_hex(6)}@example.com"
    fields = {"csrf_token": form_token(site.get("/signup")), "name": name, "email": email, "password": PASSWORD}
    page = site.post("/signup", data=fields)
    assert page.status_code == 200, page.text
    key, secret = (_shown(page.text, which) for which in ("new-api-key", "new-api-secret"))
    api = httpx.Client(base_url=stack.urls["api"], headers={"X-Api-Key": key, "X-Api-Secret": secret}, timeout=15)
    return Shopkeeper(email, key, secret, site, api)


def _shown(text: str, test_id: str) -> str:
    found = re.search(rf'data-test-id="{test_id}">([^<]+)<', text)
    assert found, test_id
    return found[1]


def part(where: Page | Locator, test_id: str) -> Locator:
    """Elements by the attribute of the contract."""
    return where.locator(f'[data-test-id="{test_id}"]')


def is_live(page: Page) -> None:
    """Wait until the window's stream of changes is open."""
    page.wait_for_selector("html[data-stream=open]")
