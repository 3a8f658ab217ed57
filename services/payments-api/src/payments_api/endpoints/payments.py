"""`/payments`: create, list, get, summary, capture, cancel."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway_common import notes
from gateway_common.errors import NotFoundError
from gateway_common.idempotency import Fence, StoredResponse
from gateway_common.ids import has_shape
from gateway_common.web.answers import answer_once, json_response
from gateway_common.web.direct import DirectRoute
from gateway_common.web.lists import DEFAULT_LIMIT, Limit, StartingAfter, as_page
from gateway_common.web.reading import read_body
from payments_api.callers import merchant_of
from payments_api.dependencies import dependencies_of
from payments_api.documentation import bodies
from payments_api.documentation.answers import PaymentAnswer, PaymentPage, SummaryAnswer, TimelineAnswer
from payments_api.documentation.describing import body, errors, idempotent
from payments_api.endpoints.filters import (
    CreatedGte,
    CreatedLte,
    OrderId,
    PaymentMethod,
    PaymentStatus,
    Search,
    read_moment,
)
from payments_api.rendering import payment_fields, payment_json
from payments_api.repositories import lists, payments
from payments_api.repositories.lists import Page, PaymentFilter
from payments_api.schemas import EXAMPLE_CARD, Capture, NewPayment
from payments_api.use_cases.change_payment import cancel_payment, capture_payment
from payments_api.use_cases.create_payment import PaymentRequest, create_payment
from payments_api.use_cases.summarise import summarise
from payments_api.use_cases.tell_timeline import tell_timeline

router = APIRouter(prefix="/api/v1", tags=["Payments"], route_class=DirectRoute)

_EXAMPLES = {
    "By UPI": {"order_id": "order_test_123", "method": "upi", "vpa": "success@upi"},
    "By card": {"order_id": "order_test_123", "method": "card", "card": EXAMPLE_CARD, "capture": "automatic"},
    "With your own order reference": {
        "order_id": "invoice-2041",
        "amount": 50000,
        "currency": "INR",
        "method": "upi",
        "vpa": "user@paytm",
    },
    "A decline, for your tests": {"order_id": "order_test_123", "method": "upi", "vpa": "failure@upi"},
}


@router.post(
    "/payments",
    status_code=201,
    response_model=PaymentAnswer,
    response_model_exclude_unset=True,
    summary="Make a payment; its verdict follows by webhook, or ask for it",
    responses=errors(400, 401, 404, 409, 413, 422, 429),
    openapi_extra=idempotent(body(bodies.NEW_PAYMENT, _EXAMPLES)),
)
async def create(request: Request) -> Response:
    using = dependencies_of(request)
    merchant_id = await merchant_of(request, using)
    given = await read_body(request, NewPayment)
    asked = PaymentRequest(
        given.order_id,
        given.method,
        given.vpa,
        given.card,
        given.amount,
        given.currency,
        given.capture,
        notes.as_text(given.notes),
        may_register_order=True,
    )

    async def work(fence: Fence | None) -> StoredResponse:
        return await create_payment(using, merchant_id, asked, fence, payment_json)

    return await answer_once(request, using.keys, merchant_id, work)


@router.get(
    "/payments", response_model=PaymentPage, summary="List payments, newest first", responses=errors(400, 401, 429)
)
async def list_payments(
    request: Request,
    limit: Limit = DEFAULT_LIMIT,
    starting_after: StartingAfter = None,
    status: PaymentStatus = None,
    method: PaymentMethod = None,
    order_id: OrderId = None,
    q: Search = None,
    created_gte: CreatedGte = None,
    created_lte: CreatedLte = None,
) -> Response:
    using = dependencies_of(request)
    merchant_id = await merchant_of(request, using)
    page = Page(
        limit + 1, starting_after, read_moment(created_gte, "created_gte"), read_moment(created_lte, "created_lte")
    )
    wanted = PaymentFilter(status, method, order_id or None, (q or "").strip() or None)
    found = await lists.payments(using.database, merchant_id, page, wanted)
    return json_response(as_page([payment_fields(payment) for payment in found], limit))


@router.get(
    "/payments/summary",
    response_model=SummaryAnswer,
    summary="Counts and sums of the payments made in a period",
    responses=errors(400, 401, 429),
)
async def summary(
    request: Request,
    created_gte: CreatedGte = None,
    created_lte: CreatedLte = None,
    interval: Annotated[Literal["hour", "day"], Query(description="Of the series, in UTC")] = "day",
) -> Response:
    using = dependencies_of(request)
    merchant_id = await merchant_of(request, using)
    since, until = read_moment(created_gte, "created_gte"), read_moment(created_lte, "created_lte")
    return json_response(await summarise(using, merchant_id, since, until, interval))


@router.get(
    "/payments/{payment_id}",
    response_model=PaymentAnswer,
    summary="Get a payment",
    responses=errors(400, 401, 404, 429),
)
async def get(request: Request, payment_id: str) -> Response:
    using = dependencies_of(request)
    merchant_id = await merchant_of(request, using)
    found = await payments.find(using.database, merchant_id, payment_id) if has_shape(payment_id, "pay_") else None
    if found is None:
        raise NotFoundError("Payment not found")
    return Response(payment_json(found), media_type="application/json")


@router.get(
    "/payments/{payment_id}/timeline",
    response_model=TimelineAnswer,
    summary="Everything that happened to a payment, in every service",
    responses=errors(400, 401, 404, 429),
)
async def timeline(request: Request, payment_id: str) -> Response:
    using = dependencies_of(request)
    merchant_id = await merchant_of(request, using)
    return json_response(await tell_timeline(using, merchant_id, payment_id))


@router.post(
    "/payments/{payment_id}/capture",
    response_model=PaymentAnswer,
    summary="Take the money of a successful payment, once, in full or in part",
    responses=errors(400, 401, 404, 409, 413, 422, 429),
    openapi_extra=idempotent(
        body(bodies.CAPTURE, {"All of it": {}, "A part of it": {"amount": 20000}}, is_required=False)
    ),
)
async def capture(request: Request, payment_id: str) -> Response:
    using = dependencies_of(request)
    merchant_id = await merchant_of(request, using)
    given = await read_body(request, Capture, may_be_empty=True)

    async def work(fence: Fence | None) -> StoredResponse:
        return await capture_payment(using, merchant_id, payment_id, given.amount, fence)

    return await answer_once(request, using.keys, merchant_id, work)


@router.post(
    "/payments/{payment_id}/cancel",
    response_model=PaymentAnswer,
    summary="Let go of a successful payment that was not captured",
    responses=errors(400, 401, 404, 409, 413, 422, 429),
    openapi_extra=idempotent(),
)
async def cancel(request: Request, payment_id: str) -> Response:
    using = dependencies_of(request)
    merchant_id = await merchant_of(request, using)

    async def work(fence: Fence | None) -> StoredResponse:
        return await cancel_payment(using, merchant_id, payment_id, fence)

    return await answer_once(request, using.keys, merchant_id, work)
