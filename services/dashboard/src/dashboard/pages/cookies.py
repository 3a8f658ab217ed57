"""The three cookies: session, visitor (for the form token before sign-in), and the notice for the next page."""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Literal

import orjson
from starlette.requests import Request
from starlette.responses import Response

from dashboard.accounts.form_tokens import FormTokens

Tone = Literal["good", "bad"]


class Cookies:
    """Over https their names begin with `__Host-`, which browsers keep to this very host and to https."""

    def __init__(self, *, is_secure: bool, tokens: FormTokens) -> None:
        self._is_secure = is_secure
        self._tokens = tokens
        prefix = "__Host-" if is_secure else ""
        self._session = f"{prefix}dashboard_session"
        self._visitor = f"{prefix}dashboard_visitor"
        self._notice = f"{prefix}dashboard_notice"

    def session(self, request: Request) -> str | None:
        return request.cookies.get(self._session)

    def start_session(self, response: Response, token: str) -> None:
        # Lax: a link in a mail to a payment's page must find its reader signed in. Forms have their own token.
        self._set(response, self._session, token, samesite="lax")
        response.delete_cookie(self._visitor, secure=self._is_secure)

    def end_session(self, response: Response) -> None:
        response.delete_cookie(self._session, secure=self._is_secure, httponly=True)

    def visitor(self, request: Request) -> str | None:
        return request.cookies.get(self._visitor)

    def start_visit(self, response: Response, request: Request) -> str:
        """The visitor's cookie, made if there is none."""
        current = self.visitor(request)
        if current is None or len(current) != 43:
            current = secrets.token_urlsafe(32)
            self._set(response, self._visitor, current, samesite="strict")
        return current

    def leave_notice(self, response: Response, text: str, tone: Tone = "good") -> None:
        """Shown by the next page, once."""
        value = base64.urlsafe_b64encode(orjson.dumps([tone, text[:500]])).decode()
        self._set(response, self._notice, f"{value}.{self._tokens.sign(value)}", samesite="lax", max_age=60)

    def take_notice(self, request: Request, response: Response) -> dict[str, str] | None:
        """`{tone, text}`, or None. What was not signed by us is not shown."""
        if (cookie := request.cookies.get(self._notice)) is None:
            return None
        response.delete_cookie(self._notice, secure=self._is_secure, httponly=True)
        value, _, signature = cookie.partition(".")
        if not secrets.compare_digest(self._tokens.sign(value).encode(), signature.encode()):
            return None
        try:
            tone, text = orjson.loads(base64.urlsafe_b64decode(value))
        except (ValueError, binascii.Error):
            return None
        return {"tone": tone, "text": text}

    def _set(
        self,
        response: Response,
        name: str,
        value: str,
        *,
        samesite: Literal["lax", "strict"],
        max_age: int | None = None,
    ) -> None:
        response.set_cookie(
            name, value, max_age=max_age, path="/", secure=self._is_secure, httponly=True, samesite=samesite
        )
