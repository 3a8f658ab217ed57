"""`/dashboard/store` and `/checkout`: a shop to try everything with, from Buy Now to the verified webhook."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from dashboard.accounts.sessions import SignedIn
from dashboard.errors import ApiRefusalError
from dashboard.pages.orders import checkout_url
from dashboard.pages.overview import active_keys
from dashboard.pages.rendering import Pages, or_none
from dashboard.pages.security_headers import content_policy
from dashboard.pages.visiting import Rendered, Who, address_of
from dashboard.seed import TEST_MERCHANT_ID
from dashboard.wiring import Wired, Wiring
from gateway_common.errors import NotFoundError, RateLimitedError
from gateway_common.logs import get_logger
from gateway_common.web.answers import json_response

log = get_logger(__name__)
router = APIRouter(include_in_schema=False)

ENDPOINT_NAME = "Demo Store (built-in inspector)"
# Orders of visitors in test mode; nobody shops faster.
_VISITOR_ORDERS_PER_MINUTE = 30


@dataclass(frozen=True, slots=True)
class Product:
    """Price in paise."""

    id: str
    name: str
    text: str
    price: int


PRODUCTS = (
    Product("notebook", "Dotted notebook", "192 pages that lie flat.", 49_900),
    Product("mug", "Stoneware mug", "Keeps 350 ml warm.", 64_950),
    Product("lamp", "Desk lamp", "Warm light, no glare.", 2_49_900),
    Product("pack", "Day pack", "Eighteen litres for every day.", 3_79_900),
)
_BY_ID = {product.id: product for product in PRODUCTS}


class Purchase(BaseModel):
    """What Buy Now sends; the price is looked up here, never taken from a browser."""

    model_config = ConfigDict(strict=True)
    product: Annotated[str, Field(max_length=40)]


@router.get("/dashboard/store")
async def store(request: Request, who: Who, wired: Wired, pages: Rendered, payment: str = "") -> Response:
    """With `payment`, the result of that purchase too: its state from the API and the webhooks that came for it."""
    policy = content_policy(checkout_url=wired.settings.checkout_public_url)
    result = await _result(wired, who.merchant_id, payment) if payment else None
    return await pages.show(
        request, "store.html", who, policy=policy, products=PRODUCTS, result=result, endpoint_name=ENDPOINT_NAME
    )


async def _result(wired: Wiring, merchant_id: UUID, payment_id: str) -> dict[str, Any]:
    found, received = await asyncio.gather(
        wired.payments.get(merchant_id, payment_id), wired.inspections.of_payment(merchant_id, payment_id)
    )
    return {"payment": found, "received": received}


@router.post("/dashboard/store/orders")
async def buy(purchase: Purchase, who: Who, wired: Wired) -> Response:
    """`{order_id, key, amount}`: the order is made here, on the merchant's side, as a real shop's server would."""
    product = _BY_ID.get(purchase.product)
    if product is None:
        raise NotFoundError("There is no such product")
    order, merchant, _ = await asyncio.gather(
        _order(wired, who.merchant_id, product), wired.merchants.get(who.merchant_id), _connect_inspector(wired, who)
    )
    keys = active_keys(merchant)
    if not keys:
        raise ApiRefusalError(400, "BAD_REQUEST_ERROR", "There is no active API key; create one in the settings")
    return json_response({"order_id": order["id"], "key": keys[0]["api_key"], "amount": order["amount"]}, 201)


@router.get("/checkout")
async def checkout(request: Request, wired: Wired, pages: Rendered) -> Response:
    """A shortcut: a fresh demo order, straight to its checkout. Visitors shop at the test merchant's, in test mode."""
    if "prefetch" in request.headers.get("sec-purpose", ""):
        return Response(status_code=503)  # a browser that only guesses must not order
    merchant_id = await _shop_of(request, wired, pages)
    if merchant_id is None:
        return RedirectResponse("/login?next=/checkout", status_code=303)
    order, merchant = await asyncio.gather(
        _order(wired, merchant_id, PRODUCTS[0]), or_none(wired.merchants.get(merchant_id))
    )
    key = next((str(one["api_key"]) for one in active_keys(merchant)), None)
    return RedirectResponse(checkout_url(wired.settings, order["id"], key), status_code=303)


async def _shop_of(request: Request, wired: Wiring, pages: Pages) -> UUID | None:
    who = await wired.accounts.sessions.find(pages.cookies.session(request))
    if who is not None:
        return who.merchant_id
    if not wired.settings.test_mode:
        return None
    if not wired.visitor_orders.take(address_of(request), _VISITOR_ORDERS_PER_MINUTE):
        raise RateLimitedError("That is a lot of shopping; please try again in a minute", retry_after_seconds=60)
    return TEST_MERCHANT_ID


async def _order(wired: Wiring, merchant_id: UUID, product: Product) -> dict[str, Any]:
    body = {
        "amount": product.price,
        "currency": "INR",
        "receipt": f"Demo Store: {product.name}",
        "notes": {"product": product.id},
    }
    return await wired.payments.create_order(merchant_id, body)


async def _connect_inspector(wired: Wiring, who: SignedIn) -> None:
    """See to it that the inspector gets this merchant's webhooks. The store sells without it as well."""
    mine = await wired.inspections.inspector_of(who.merchant_id)
    url = f"{wired.settings.inspector_origin}/inspector/{mine.token}"
    async with wired.connecting:
        config, endpoints = await asyncio.gather(
            or_none(wired.webhooks.config(who.merchant_id)), or_none(wired.webhooks.endpoints(who.merchant_id))
        )
        if config is None or endpoints is None or config.get("webhook_url") == url:
            return
        if any(one["url"] == url and one["enabled"] for one in endpoints):
            return
        try:
            await wired.webhooks.add_endpoint(who.merchant_id, {"url": url, "description": ENDPOINT_NAME})
        except ApiRefusalError as error:
            log.warning("inspector.not_connected", reason=error.description)
            return
    wired.secrets_in_use.forget(who.merchant_id)
