"""With which secrets the webhooks that come to a merchant's inspector may be signed at the moment."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID

from dashboard.gateway.webhooks import Webhooks
from gateway_common.errors import GatewayError

# Long enough that a burst of webhooks is not a burst of questions, short enough for a rotated secret.
CACHE_SECONDS = 2.0
_MOST_MERCHANTS = 1000
_MOST_ENDPOINTS = 10


class SecretsInUse:
    """The default endpoint's secret, and those of the other endpoints that lead to the inspector."""

    def __init__(self, webhooks: Webhooks, inspector_origin: str) -> None:
        self._webhooks = webhooks
        self._inspector_prefix = f"{inspector_origin}/inspector/"
        self._cache: dict[UUID, tuple[float, list[str]]] = {}

    async def of(self, merchant_id: UUID) -> list[str]:
        """Empty when the webhooks service does not answer: then nothing verifies, and the page says so."""
        cached = self._cache.get(merchant_id)
        if cached is not None and cached[0] > time.monotonic():
            return cached[1]
        try:
            secrets = await self._ask(merchant_id)
        except GatewayError:
            return cached[1] if cached else []
        if len(self._cache) >= _MOST_MERCHANTS:
            self._cache.clear()
        self._cache[merchant_id] = (time.monotonic() + CACHE_SECONDS, secrets)
        return secrets

    def forget(self, merchant_id: UUID) -> None:
        """After a change made here, the next webhook is checked with what is true now."""
        self._cache.pop(merchant_id, None)

    async def _ask(self, merchant_id: UUID) -> list[str]:
        config, endpoints = await asyncio.gather(
            self._webhooks.config(merchant_id), self._webhooks.endpoints(merchant_id)
        )
        mine = [one["id"] for one in endpoints if str(one["url"]).startswith(self._inspector_prefix)]
        found: list[dict[str, Any]] = await asyncio.gather(
            *(self._webhooks.endpoint(merchant_id, one) for one in mine[:_MOST_ENDPOINTS])
        )
        secrets = [config["webhook_secret"], *(one["secret"] for one in found)]
        return list(dict.fromkeys(secret for secret in secrets if secret))
