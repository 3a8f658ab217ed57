"""Merchants and their API keys (payments-api)."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote
from uuid import UUID

from dashboard.errors import ApiRefusalError
from dashboard.gateway.client import PAYMENTS_API, GatewayClient

# The merchant's name stands on every page; it may be this old. Keys are always asked for.
NAME_SECONDS = 30.0
_MOST_NAMES = 10_000


class Merchants:
    def __init__(self, client: GatewayClient) -> None:
        self._client = client
        self._names: dict[UUID, tuple[float, str]] = {}

    async def get(self, merchant_id: UUID) -> dict[str, Any]:
        """`{id, name, email, keys: [...]}`; never a secret."""
        found: dict[str, Any] = await self._client.call(
            PAYMENTS_API, "GET", "/api/v1/merchant", merchant_id=merchant_id
        )
        self._remember(merchant_id, found.get("name") or "")
        return found

    async def name(self, merchant_id: UUID) -> str:
        """The merchant's name, at most 30 s old."""
        remembered = self._names.get(merchant_id)
        if remembered is not None and remembered[0] > time.monotonic():
            return remembered[1]
        return str((await self.get(merchant_id)).get("name") or "")

    async def create(self, name: str, email: str) -> dict[str, Any] | None:
        """`{id, name, email, api_key, api_secret, checkout_signing_key}`; None when the address is taken."""
        try:
            made: dict[str, Any] = await self._client.call(
                PAYMENTS_API, "POST", "/internal/v1/merchants", body={"name": name, "email": email}
            )
        except ApiRefusalError as error:
            if error.status == 409:
                return None
            raise
        return made

    async def create_key(self, merchant_id: UUID, idempotency_key: str) -> dict[str, Any]:
        """A new pair; the secret is in this answer and nowhere else."""
        made: dict[str, Any] = await self._client.call(
            PAYMENTS_API,
            "POST",
            "/api/v1/merchant/keys",
            merchant_id=merchant_id,
            body={},
            idempotency_key=idempotency_key,
        )
        return made

    async def revoke_key(self, merchant_id: UUID, key_id: str, after_hours: int) -> None:
        await self._client.call(
            PAYMENTS_API,
            "DELETE",
            f"/api/v1/merchant/keys/{quote(key_id, safe='')}",
            merchant_id=merchant_id,
            params={"after_hours": after_hours or None},
        )

    def _remember(self, merchant_id: UUID, name: str) -> None:
        if len(self._names) >= _MOST_NAMES:
            self._names.clear()
        self._names[merchant_id] = (time.monotonic() + NAME_SECONDS, name)
