"""Service-to-service tokens: JWT, HMAC-SHA256, valid for a minute.

A token says which service speaks (`iss`), to whom (`aud`) and, when it acts for a merchant, for which (`merchant`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import jwt

from gateway_common.clock import Clock
from gateway_common.errors import AuthenticationError

LIFETIME = timedelta(seconds=60)
# Clocks of two machines differ a little.
LEEWAY = timedelta(seconds=30)
# RFC 7515's compact form. Python's base64 skips letters that it does not know, so "token!" would pass as "token".
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class InternalCaller:
    service: str
    merchant_id: UUID | None


class InternalTokens:
    """Signs as `service`, and verifies tokens made for `service`."""

    def __init__(self, secret: str, service: str, clock: Clock) -> None:
        self._secret = secret
        self._service = service
        self._clock = clock

    def sign(self, audience: str, merchant_id: UUID | None = None) -> str:
        """A token for one call to `audience`, optionally on behalf of a merchant."""
        now = self._clock.now()
        claims: dict[str, object] = {"iss": self._service, "aud": audience, "iat": now, "exp": now + LIFETIME}
        if merchant_id is not None:
            claims["merchant"] = str(merchant_id)
        return jwt.encode(claims, self._secret, algorithm="HS256")

    def headers(self, audience: str, merchant_id: UUID | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.sign(audience, merchant_id)}"}

    def verify(self, authorization: str | None) -> InternalCaller:
        """Read an `Authorization: Bearer …` header.

        Raises:
            AuthenticationError: missing, malformed, expired, or made for another service.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not _COMPACT.fullmatch(token):
            raise AuthenticationError
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                audience=self._service,
                leeway=LEEWAY,
                options={"require": ["iss", "aud", "exp", "iat"]},
            )
            merchant = claims.get("merchant")
            return InternalCaller(claims["iss"], UUID(merchant) if merchant else None)
        except (jwt.InvalidTokenError, ValueError) as error:
            raise AuthenticationError from error
