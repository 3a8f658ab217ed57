"""Endpoints, deliveries and replays (webhooks)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

from dashboard.gateway.client import WEBHOOKS, GatewayClient


class Webhooks:
    """Every method acts for `merchant_id`; what belongs to another merchant is `NotFoundError`."""

    def __init__(self, client: GatewayClient) -> None:
        self._client = client

    async def deliveries(self, merchant_id: UUID, **params: Any) -> dict[str, Any]:
        """`{data: [...], total, limit, offset}`"""
        return await self._call(merchant_id, "GET", "/webhooks", params=params)

    async def delivery(self, merchant_id: UUID, delivery_id: str) -> dict[str, Any]:
        return await self._call(merchant_id, "GET", f"/webhooks/{quote(delivery_id, safe='')}")

    async def retry(self, merchant_id: UUID, delivery_id: str) -> None:
        await self._call(merchant_id, "POST", f"/webhooks/{quote(delivery_id, safe='')}/retry", body={})

    async def replay(self, merchant_id: UUID, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        return await self._call(merchant_id, "POST", "/webhooks/replay", body=body, key=key)

    async def replay_progress(self, merchant_id: UUID, replay_id: str) -> dict[str, Any]:
        """`{id, status, total, queued, ...}`"""
        return await self._call(merchant_id, "GET", f"/webhooks/replays/{quote(replay_id, safe='')}")

    async def steer_replay(self, merchant_id: UUID, replay_id: str, action: str) -> None:
        """`action`: pause, resume, cancel."""
        await self._call(merchant_id, "POST", f"/webhooks/replays/{quote(replay_id, safe='')}/{action}", body={})

    async def config(self, merchant_id: UUID) -> dict[str, Any]:
        """`{webhook_url, webhook_secret}`"""
        return await self._call(merchant_id, "GET", "/webhooks/config")

    async def set_url(self, merchant_id: UUID, url: str | None) -> dict[str, Any]:
        return await self._call(merchant_id, "PUT", "/webhooks/config", body={"webhook_url": url})

    async def regenerate_secret(self, merchant_id: UUID) -> dict[str, Any]:
        return await self._call(merchant_id, "POST", "/webhooks/regenerate-secret", body={})

    async def send_test(self, merchant_id: UUID) -> None:
        await self._call(merchant_id, "POST", "/webhooks/test", body={})

    async def endpoints(self, merchant_id: UUID) -> list[dict[str, Any]]:
        found = await self._call(merchant_id, "GET", "/webhook-endpoints", params={"limit": 100})
        endpoints: list[dict[str, Any]] = found["data"]
        return endpoints

    async def endpoint(self, merchant_id: UUID, endpoint_id: str) -> dict[str, Any]:
        """With its secret, which lists leave out."""
        return await self._call(merchant_id, "GET", f"/webhook-endpoints/{quote(endpoint_id, safe='')}")

    async def add_endpoint(self, merchant_id: UUID, body: Mapping[str, Any], key: str | None = None) -> dict[str, Any]:
        return await self._call(merchant_id, "POST", "/webhook-endpoints", body=body, key=key)

    async def change_endpoint(self, merchant_id: UUID, endpoint_id: str, body: Mapping[str, Any]) -> None:
        await self._call(merchant_id, "PATCH", f"/webhook-endpoints/{quote(endpoint_id, safe='')}", body=body)

    async def regenerate_endpoint_secret(self, merchant_id: UUID, endpoint_id: str) -> None:
        path = f"/webhook-endpoints/{quote(endpoint_id, safe='')}/regenerate-secret"
        await self._call(merchant_id, "POST", path, body={})

    async def delete_endpoint(self, merchant_id: UUID, endpoint_id: str) -> None:
        await self._call(merchant_id, "DELETE", f"/webhook-endpoints/{quote(endpoint_id, safe='')}")

    async def _call(
        self,
        merchant_id: UUID,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> dict[str, Any]:
        found: dict[str, Any] = await self._client.call(
            WEBHOOKS, method, f"/api/v1{path}", merchant_id=merchant_id, params=params, body=body, idempotency_key=key
        )
        return found
