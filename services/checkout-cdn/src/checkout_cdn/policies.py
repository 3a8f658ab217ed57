"""Which security headers a checkout page gets, and why each is as it is."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from checkout_cdn.orders import NoOrder, PublicOrder

# Written into a header: nothing but a scheme, a host and a port may pass.
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?", re.IGNORECASE)


def frame_ancestors(order: PublicOrder | NoOrder) -> str:
    """Who may frame the page: in test mode everyone, else the origins the merchant has named, else nobody.

    Without an order there is nothing on the page that a click could be stolen for, and the embedding shop should
    show our words rather than the browser's refusal.
    """
    if isinstance(order, NoOrder) or order.test_mode:
        return "*"
    allowed = [origin for origin in order.merchant.allowed_frame_origins or [] if _ORIGIN.fullmatch(origin)]
    return " ".join(allowed) or "'none'"


def page_headers(order: PublicOrder | NoOrder, public_api_url: str) -> dict[str, str]:
    api = urlsplit(public_api_url)
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": f"'self' {api.scheme}://{api.netloc}",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": frame_ancestors(order),
        # No text ever becomes markup: the page builds its nodes.
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        # The page holds an order's state, and a paid order must not be shown as open from a cache.
        "Cache-Control": "no-store",
        "Vary": "Accept-Encoding",
        # The URL names the order and the key; no one else needs to know them.
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        # A page that opened the checkout as a window gets no handle on it.
        "Cross-Origin-Opener-Policy": "same-origin",
        # These two let shops that are cross-origin isolated frame the page as well.
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), usb=()",
    }
