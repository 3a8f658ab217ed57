"""Asks payments-api for what a checkout may know about an order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from gateway_common import context
from gateway_common.logs import get_logger

log = get_logger(__name__)

TIMEOUT_SECONDS = 3.0
LONGEST_ORDER_ID = 64


class Merchant(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    allowed_frame_origins: list[str] | None = None


class PublicOrder(BaseModel):
    """`GET /orders/{id}/public` (API.md, Orders). `amount` in the currency's smallest unit.

    A paid order that takes `multiple_payments` can be paid again. None: not told; then the page offers the form, and
    the gateway refuses a second payment itself.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    amount: int
    currency: str
    status: str
    merchant: Merchant
    test_mode: bool = False
    multiple_payments: bool | None = None


@dataclass(frozen=True)
class NoOrder:
    """`not_found`: payments-api says so. `unavailable`: it could not be asked; the order may well exist."""

    reason: Literal["not_found", "unavailable"]


class OrderLookup:
    """`client` has payments-api as its base URL."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def find(self, order_id: str, shopper_address: str | None) -> PublicOrder | NoOrder:
        """Never raises for what the other side does. The shopper's address goes along, so that limits
        count the shopper and not this service."""
        if not 0 < len(order_id) <= LONGEST_ORDER_ID:
            return NoOrder("not_found")
        headers = {"X-Request-Id": context.request_id.get() or ""}
        if shopper_address:
            headers["X-Forwarded-For"] = shopper_address
        try:
            response = await self._client.get(f"/api/v1/orders/{quote(order_id, safe='')}/public", headers=headers)
            if response.status_code in (400, 404):
                return NoOrder("not_found")
            response.raise_for_status()
            return PublicOrder.model_validate_json(response.content)
        except (httpx.HTTPError, ValidationError) as error:
            log.warning("order.unavailable", order_id=order_id, error=repr(error))
            return NoOrder("unavailable")
