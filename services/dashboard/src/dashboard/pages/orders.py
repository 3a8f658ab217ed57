"""`/dashboard/orders`: what is to be paid, with a link to the checkout of each."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from dashboard.domain.amounts import format_amount, parse_amount
from dashboard.errors import ApiRefusalError
from dashboard.pages.filters import ListView
from dashboard.pages.transactions import Attempt
from dashboard.pages.visiting import Rendered, Who
from dashboard.settings import Settings
from dashboard.wiring import Wired
from gateway_common.errors import ServiceUnavailableError

router = APIRouter(include_in_schema=False)


def checkout_url(settings: Settings, order_id: str, key: str | None = None) -> str:
    query = {"order_id": order_id, **({"key": key} if key else {})}
    return f"{settings.checkout_public_url.rstrip('/')}/checkout?{urlencode(query)}"


@router.get("/dashboard/orders")
async def orders(request: Request, who: Who, wired: Wired, pages: Rendered) -> Response:
    view = ListView.of(request, ("status", "from", "to"))
    page: dict[str, Any] | None = None
    try:
        page = await wired.payments.orders(who.merchant_id, **view.parameters())
    except (ApiRefusalError, ServiceUnavailableError):
        page = None
    links = {one["id"]: checkout_url(wired.settings, one["id"]) for one in (page or {"data": []})["data"]}
    return await pages.show(request, "orders.html", who, view=view, page=page, links=links)


@router.post("/dashboard/orders")
async def create_order(
    who: Who,
    wired: Wired,
    pages: Rendered,
    attempt: Attempt,
    amount: Annotated[str, Form()] = "",
    receipt: Annotated[str, Form(max_length=255)] = "",
) -> Response:
    try:
        body = {"amount": parse_amount(amount), "currency": "INR", "receipt": receipt.strip() or None}
        made = await wired.payments.create_order(who.merchant_id, body, f"dashboard-{attempt}")
    except (ApiRefusalError, ValueError) as error:
        return pages.go("/dashboard/orders", str(error), "bad")
    return pages.go(
        "/dashboard/orders", f"The order over {format_amount(made['amount'], made['currency'])} is ready to be paid."
    )
