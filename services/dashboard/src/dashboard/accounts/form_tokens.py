"""A token on every form proves that our page made it (CSRF).

It is an HMAC of the session cookie, or of a visitor cookie before sign-in: nothing to store, different for every
session, changed with the session at sign-in. `Origin` is checked as well: other ports of this host count as the same
site for cookies, but not as us.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from starlette.requests import Request

from dashboard.errors import ForgedFormError

FIELD = "csrf_token"
HEADER = "x-csrf-token"


class FormTokens:
    """`secret` is the process's own; a token made with one holds in every replica."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.new(secret.encode(), b"dashboard form tokens", hashlib.sha256).digest()

    def token_for(self, cookie: str) -> str:
        return hmac.new(self._key, cookie.encode(), hashlib.sha256).hexdigest()

    def check(self, cookie: str | None, offered: str | None) -> None:
        """Raises `ForgedFormError` unless `offered` belongs to `cookie`."""
        if not cookie or not offered or not hmac.compare_digest(self.token_for(cookie).encode(), offered.encode()):
            raise ForgedFormError

    def sign(self, text: str) -> str:
        """For short-lived cookies of our own that must not be made up by others."""
        return hmac.new(self._key, b"cookie:" + text.encode(), hashlib.sha256).hexdigest()


def refuse_foreign_origin(request: Request) -> None:
    """Browsers name the origin of every form they send; one that is not this host is refused."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise ForgedFormError
