"""`/dashboard/transactions`: the list, its export, a payment's page and what can be done there."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response, StreamingResponse

from dashboard.domain.amounts import format_amount, parse_amount
from dashboard.errors import ApiRefusalError
from dashboard.pages.exporting import csv_lines
from dashboard.pages.filters import ListView
from dashboard.pages.rendering import or_none
from dashboard.pages.visiting import Rendered, Who
from dashboard.wiring import Wired
from gateway_common.errors import ServiceUnavailableError

router = APIRouter(include_in_schema=False, prefix="/dashboard/transactions")

FILTERS = ("q", "status", "method", "order_id", "from", "to")
STATUSES = ("pending", "success", "failed", "cancelled")

Attempt = Annotated[str, Form(min_length=16, max_length=64, pattern="^[0-9a-f]+$")]


@router.get("")
async def transactions(request: Request, who: Who, wired: Wired, pages: Rendered) -> Response:
    view = ListView.of(request, FILTERS)
    page: dict[str, Any] | None = None
    refusal: ApiRefusalError | None = None
    try:
        page = await wired.payments.list(who.merchant_id, **view.parameters())
    except ApiRefusalError as error:
        refusal = error  # a filter that the viewer can mend
    except ServiceUnavailableError:
        page = None
    return await pages.show(request, "transactions.html", who, view=view, page=page, refusal=refusal, statuses=STATUSES)


@router.get("/export.csv")
async def export(request: Request, who: Who, wired: Wired) -> Response:
    view = ListView.of(request, FILTERS)
    parameters = view.parameters() | {"starting_after": None, "limit": 100}
    # The first page is read before the answer begins, so that a refusal is still a refusal.
    first = await wired.payments.list(who.merchant_id, **parameters)

    async def next_page(cursor: str) -> dict[str, Any]:
        return await wired.payments.list(who.merchant_id, **(parameters | {"starting_after": cursor}))

    name = f"transactions-{wired.clock.now():%Y%m%d-%H%M%S}.csv"
    return StreamingResponse(
        csv_lines(first, next_page),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get("/{payment_id}")
async def payment(payment_id: str, request: Request, who: Who, wired: Wired, pages: Rendered) -> Response:
    found, timeline, refunds, received = await asyncio.gather(
        wired.payments.get(who.merchant_id, payment_id),
        or_none(wired.payments.timeline(who.merchant_id, payment_id)),
        or_none(wired.refunds.of_payment(who.merchant_id, payment_id)),
        or_none(wired.inspections.of_payment(who.merchant_id, payment_id)),
    )
    return await pages.show(
        request,
        "payment.html",
        who,
        payment=found,
        timeline=timeline,
        refunds=refunds,
        received=received or [],
        refundable=refundable(found, refunds),
    )


def refundable(payment: dict[str, Any], refunds: dict[str, Any] | None) -> int:
    """What may still be given back: the amount less refunds that are processed or on their way."""
    if payment["status"] != "success":
        return 0
    base: int = payment["amount_captured"] if payment["captured"] else payment["amount"]
    if refunds is None:
        return int(base - payment["amount_refunded"])
    return int(base - sum(one["amount"] for one in refunds["data"] if one["status"] != "failed"))


@router.post("/{payment_id}/capture")
async def capture(
    payment_id: str, who: Who, wired: Wired, pages: Rendered, attempt: Attempt, amount: Annotated[str, Form()] = ""
) -> Response:
    path = f"/dashboard/transactions/{payment_id}"
    found = await wired.payments.get(who.merchant_id, payment_id)
    try:
        minor = parse_amount(amount, found["currency"]) if amount.strip() else None
        captured = await wired.payments.capture(who.merchant_id, payment_id, minor, f"dashboard-{attempt}")
    except (ApiRefusalError, ValueError) as error:
        return pages.go(path, str(error), "bad")
    return pages.go(path, f"Captured {format_amount(captured['amount_captured'], captured['currency'])}.")


@router.post("/{payment_id}/cancel")
async def cancel(payment_id: str, who: Who, wired: Wired, pages: Rendered, attempt: Attempt) -> Response:
    path = f"/dashboard/transactions/{payment_id}"
    try:
        await wired.payments.cancel(who.merchant_id, payment_id, f"dashboard-{attempt}")
    except ApiRefusalError as error:
        return pages.go(path, error.description, "bad")
    return pages.go(path, "The payment is cancelled; the customer is not charged.")


@router.post("/{payment_id}/refund")
async def refund(
    payment_id: str,
    who: Who,
    wired: Wired,
    pages: Rendered,
    attempt: Attempt,
    amount: Annotated[str, Form()] = "",
    reason: Annotated[str, Form(max_length=255)] = "",
) -> Response:
    path = f"/dashboard/transactions/{payment_id}"
    found = await wired.payments.get(who.merchant_id, payment_id)
    try:
        body: dict[str, Any] = {"reason": reason.strip() or None}
        if amount.strip():
            body["amount"] = parse_amount(amount, found["currency"])
        made = await wired.refunds.create(who.merchant_id, payment_id, body, f"dashboard-{attempt}")
    except (ApiRefusalError, ValueError) as error:
        return pages.go(path, str(error), "bad")
    return pages.go(path, f"A refund of {format_amount(made['amount'], made['currency'])} is on its way.")
