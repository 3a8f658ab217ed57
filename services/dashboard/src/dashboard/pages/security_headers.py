"""Security headers on every answer, errors of the outermost layer included; and why each is as it is."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def content_policy(*, checkout_url: str | None = None) -> str:
    """The policy of a page. With `checkout_url` it may also run the SDK from there and frame its checkout."""
    checkout = ""
    if checkout_url is not None:
        parts = urlsplit(checkout_url)
        checkout = f" {parts.scheme}://{parts.netloc}"
    policy = {
        "default-src": "'none'",
        "script-src": f"'self'{checkout}",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "frame-src": checkout.strip() or "'none'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        # The one place where text becomes markup is our own page, read again after a change (static/live.js).
        "require-trusted-types-for": "'script'",
        "trusted-types": "live",
    }
    return "; ".join(f"{name} {value}" for name, value in policy.items())


def default_headers(*, is_secure: bool) -> dict[str, str]:
    headers = {
        "Content-Security-Policy": content_policy(),
        # Pages show a merchant's payments: neither a proxy nor the back button of the next person may keep them.
        "Cache-Control": "no-store",
        # Addresses of pages hold ids; other sites need not learn them. Forms of our own still send their origin.
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), usb=()",
    }
    if is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


class SecurityHeaders:
    """Adds what the answer has not set itself."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
