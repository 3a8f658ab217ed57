"""Check a merchant's API key: this process's memory (2 s), then the service's source of keys.

The source is the database in payments-api, and `RemoteKeySource` (Redis, then payments-api) everywhere else. Each layer
keeps a key for at most 2 s, so a revoked key stops working everywhere within 5 s.
"""

from __future__ import annotations

import base64
import hmac
import re
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.auth.secrets import hash_secret
from gateway_common.clock import Clock
from gateway_common.errors import AuthenticationError

MEMORY_SECONDS = 2.0
MEMORY_ENTRIES = 10_000

# Every key we ever made; whatever else is sent need not be looked up, and cannot upset who looks it up.
_KEY = re.compile(r"[A-Za-z0-9_]{1,200}\Z")

# Compared against when the key is unknown, so that an unknown key takes as long as a wrong secret.
_NO_HASH = bytes(32)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of an active key; never the secret."""

    key: str
    merchant_id: UUID
    secret_hash: bytes
    expires_at: datetime | None = None


class KeySource(Protocol):
    """Where keys are looked up. Returns None for a key that is unknown or revoked."""

    async def find(self, key: str) -> ApiKey | None: ...


class Authenticator:
    """Turns the credentials of a request into a merchant id."""

    def __init__(self, source: KeySource, clock: Clock, tokens: InternalTokens | None = None) -> None:
        self._source = source
        self._clock = clock
        self._tokens = tokens
        self._memory: dict[str, tuple[float, ApiKey | None]] = {}

    async def authenticate(self, api_key: str | None, api_secret: str | None, authorization: str | None) -> UUID:
        """`X-Api-Key` + `X-Api-Secret`, HTTP Basic with the same pair, or a service's token on behalf of a merchant.

        Raises:
            AuthenticationError: missing, wrong or deactivated.
        """
        if api_key is None and api_secret is None and authorization:
            if authorization[:7].lower() == "bearer " and self._tokens is not None:
                merchant_id = self._tokens.verify(authorization).merchant_id
                if merchant_id is None:
                    raise AuthenticationError
                return merchant_id
            api_key, api_secret = read_basic(authorization) or (None, None)
        if not api_key or not api_secret or not _KEY.match(api_key) or len(api_secret) > 200:
            raise AuthenticationError
        found = await self._find(api_key)
        is_right = hmac.compare_digest(hash_secret(api_secret), _NO_HASH if found is None else found.secret_hash)
        if found is None or not is_right:
            raise AuthenticationError
        if found.expires_at is not None and found.expires_at <= self._clock.now():
            raise AuthenticationError
        return found.merchant_id

    async def _find(self, key: str) -> ApiKey | None:
        now = time.monotonic()
        remembered = self._memory.get(key)
        if remembered is not None and remembered[0] > now:
            return remembered[1]
        found = await self._source.find(key)
        if len(self._memory) >= MEMORY_ENTRIES:
            self._memory.clear()  # someone is guessing keys; start over rather than grow
        self._memory[key] = (now + MEMORY_SECONDS, found)
        return found


def read_basic(authorization: str) -> tuple[str, str] | None:
    """User and password of an `Authorization: Basic …` header; None if it is no such header."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # no Base64, no UTF-8, or not even ASCII
        return None
    return user, password
