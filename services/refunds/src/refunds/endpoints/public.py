"""`/refunds` and `/payments/{id}/refunds` (API.md, Refunds)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway_common.errors import NotFoundError
from gateway_common.ids import has_shape
from gateway_common.web.answers import answer_once, json_response
from gateway_common.web.application import GatewayRoute
from gateway_common.web.lists import DEFAULT_LIMIT, Limit, StartingAfter, as_page
from gateway_common.web.reading import read_body
from refunds import rendering, repositories
from refunds.creation import RefundOrder
from refunds.dependencies import dependencies_of
from refunds.domain.states import RefundStatus
from refunds.schemas import Moment, NewRefund, RefundAnswer, RefundPage

router = APIRouter(prefix="/api/v1", route_class=GatewayRoute, tags=["Refunds"])


_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
# Beyond what every operation may answer, which the merged document adds.
_KEY_REFUSALS: dict[int | str, dict[str, Any]] = {
    409: {"description": "The first request with this Idempotency-Key is still running", "content": _PROBLEM},
    422: {"description": "The Idempotency-Key was used with another request", "content": _PROBLEM},
}
_BODY = {
    "required": False,
    "content": {
        "application/json": {
            "schema": NewRefund.model_json_schema(),
            "example": {"amount": 25000, "reason": "Customer request"},
        }
    },
}
_KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "The same key gives the same answer for 24 hours",
}

Status = Annotated[RefundStatus | None, Query(description="Only refunds in this state")]
CreatedGte = Annotated[Moment | None, Query(description="Made at this time or later: ISO 8601 or Unix seconds")]
CreatedLte = Annotated[Moment | None, Query(description="Made at this time or earlier: ISO 8601 or Unix seconds")]


async def _merchant_of(request: Request) -> UUID:
    headers, using = request.headers, dependencies_of(request)
    merchant_id = await using.authenticator.authenticate(
        headers.get("x-api-key"), headers.get("x-api-secret"), headers.get("authorization")
    )
    await using.limits.count_merchant(request)
    return merchant_id


@router.post(
    "/payments/{payment_id}/refunds",
    status_code=201,
    response_model=RefundAnswer,
    responses=_KEY_REFUSALS,
    openapi_extra={"requestBody": _BODY, "parameters": [_KEY_PARAMETER]},
)
async def create_refund(request: Request, payment_id: str) -> Response:
    """Give a payment's money back, in whole or in part; no capture is needed first.

    Pending refunds count as given. What a failed refund did not give back can be refunded again.
    """
    using = dependencies_of(request)
    merchant_id = await _merchant_of(request)
    body = await read_body(request, NewRefund, may_be_empty=True)
    order = RefundOrder(merchant_id, payment_id, body.amount, body.reason, body.notes)
    return await answer_once(request, using.keys, merchant_id, lambda fence: using.creation.create(order, fence))


@router.get("/payments/{payment_id}/refunds", response_model=RefundPage)
async def list_refunds_of_payment(
    request: Request,
    payment_id: str,
    limit: Limit = DEFAULT_LIMIT,
    starting_after: StartingAfter = None,
    status: Status = None,
) -> Response:
    """Newest first. A payment without refunds gives an empty list."""
    using = dependencies_of(request)
    merchant_id = await _merchant_of(request)
    if not has_shape(payment_id, "pay_"):
        raise NotFoundError("Payment not found")
    found = await repositories.newest(
        using.database,
        merchant_id,
        limit=limit + 1,
        starting_after=starting_after,
        payment_id=payment_id,
        status=status,
    )
    if not found:
        await using.creation.require_payment(merchant_id, payment_id)
    return json_response(as_page([rendering.public(refund) for refund in found], limit))


@router.get("/refunds", response_model=RefundPage)
async def list_refunds(
    request: Request,
    limit: Limit = DEFAULT_LIMIT,
    starting_after: StartingAfter = None,
    payment_id: Annotated[str | None, Query(max_length=64, description="Only refunds of this payment")] = None,
    status: Status = None,
    created_gte: CreatedGte = None,
    created_lte: CreatedLte = None,
) -> Response:
    """Newest first."""
    using = dependencies_of(request)
    merchant_id = await _merchant_of(request)
    if payment_id is not None and not has_shape(payment_id, "pay_"):
        return json_response(as_page([], limit))
    found = await repositories.newest(
        using.database,
        merchant_id,
        limit=limit + 1,
        starting_after=starting_after,
        payment_id=payment_id,
        status=status,
        created_gte=created_gte,
        created_lte=created_lte,
    )
    return json_response(as_page([rendering.public(refund) for refund in found], limit))


@router.get("/refunds/{refund_id}", response_model=RefundAnswer)
async def get_refund(request: Request, refund_id: str) -> Response:
    """One refund."""
    using = dependencies_of(request)
    merchant_id = await _merchant_of(request)
    refund = None
    if has_shape(refund_id, "rfnd_"):
        refund = await repositories.find(using.database, merchant_id, refund_id)
    if refund is None:
        raise NotFoundError("Refund not found")
    return json_response(rendering.public(refund))
