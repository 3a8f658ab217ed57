"""Orders, payments and their figures (payments-api), and refunds (refunds)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

from dashboard.gateway.client import PAYMENTS_API, REFUNDS, GatewayClient


def _id(value: str) -> str:
    return quote(value, safe="")


class Payments:
    """Every method acts for `merchant_id`; what belongs to another merchant is `NotFoundError`."""

    def __init__(self, client: GatewayClient) -> None:
        self._client = client

    async def summary(self, merchant_id: UUID, **params: Any) -> dict[str, Any]:
        """`{totals: {...}, success_rate, series: [...]}`; `created_gte`, `created_lte`, `interval`."""
        return await self._get(merchant_id, "/api/v1/payments/summary", params)

    async def list(self, merchant_id: UUID, **params: Any) -> dict[str, Any]:
        return await self._get(merchant_id, "/api/v1/payments", params)

    async def get(self, merchant_id: UUID, payment_id: str) -> dict[str, Any]:
        return await self._get(merchant_id, f"/api/v1/payments/{_id(payment_id)}")

    async def timeline(self, merchant_id: UUID, payment_id: str) -> dict[str, Any]:
        return await self._get(merchant_id, f"/api/v1/payments/{_id(payment_id)}/timeline")

    async def capture(self, merchant_id: UUID, payment_id: str, amount: int | None, key: str) -> dict[str, Any]:
        body = {} if amount is None else {"amount": amount}
        return await self._post(merchant_id, f"/api/v1/payments/{_id(payment_id)}/capture", body, key)

    async def cancel(self, merchant_id: UUID, payment_id: str, key: str) -> dict[str, Any]:
        return await self._post(merchant_id, f"/api/v1/payments/{_id(payment_id)}/cancel", {}, key)

    async def orders(self, merchant_id: UUID, **params: Any) -> dict[str, Any]:
        return await self._get(merchant_id, "/api/v1/orders", params)

    async def create_order(self, merchant_id: UUID, body: Mapping[str, Any], key: str | None = None) -> dict[str, Any]:
        return await self._post(merchant_id, "/api/v1/orders", body, key)

    async def jobs_status(self) -> dict[str, Any]:
        """`{pending, processing, completed, failed, worker_status, queues}`; the same for every merchant."""
        found: dict[str, Any] = await self._client.call(PAYMENTS_API, "GET", "/api/v1/test/jobs/status")
        return found

    async def _get(self, merchant_id: UUID, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        found: dict[str, Any] = await self._client.call(
            PAYMENTS_API, "GET", path, merchant_id=merchant_id, params=params
        )
        return found

    async def _post(self, merchant_id: UUID, path: str, body: Mapping[str, Any], key: str | None) -> dict[str, Any]:
        made: dict[str, Any] = await self._client.call(
            PAYMENTS_API, "POST", path, merchant_id=merchant_id, body=body, idempotency_key=key
        )
        return made


class Refunds:
    def __init__(self, client: GatewayClient) -> None:
        self._client = client

    async def list(self, merchant_id: UUID, **params: Any) -> dict[str, Any]:
        found: dict[str, Any] = await self._client.call(
            REFUNDS, "GET", "/api/v1/refunds", merchant_id=merchant_id, params=params
        )
        return found

    async def of_payment(self, merchant_id: UUID, payment_id: str) -> dict[str, Any]:
        found: dict[str, Any] = await self._client.call(
            REFUNDS,
            "GET",
            f"/api/v1/payments/{_id(payment_id)}/refunds",
            merchant_id=merchant_id,
            params={"limit": 100},
        )
        return found

    async def create(self, merchant_id: UUID, payment_id: str, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        made: dict[str, Any] = await self._client.call(
            REFUNDS,
            "POST",
            f"/api/v1/payments/{_id(payment_id)}/refunds",
            merchant_id=merchant_id,
            body=body,
            idempotency_key=key,
        )
        return made
