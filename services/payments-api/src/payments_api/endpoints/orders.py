"""`/orders`"""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway_common.errors import NotFoundError
from gateway_common.idempotency import Fence, StoredResponse
from gateway_common.web.answers import answer_once, json_response
from gateway_common.web.lists import DEFAULT_LIMIT, Limit, StartingAfter, as_page
from gateway_common.web.reading import read_body
from payments_api.callers import merchant_of, shopper
from payments_api.dependencies import dependencies_of
from payments_api.documentation import bodies
from payments_api.documentation.answers import OrderAnswer, OrderPage, PublicOrderAnswer
from payments_api.documentation.describing import body, errors, idempotent
from payments_api.endpoints.filters import CreatedGte, CreatedLte, OrderStatus, read_moment
from payments_api.rendering import order_fields
from payments_api.repositories import lists, orders
from payments_api.repositories.lists import Page
from payments_api.schemas import NewOrder, is_order_reference
from payments_api.use_cases.create_order import create_order

router = APIRouter(prefix="/api/v1", tags=["Orders"])

_EXAMPLES = {
    "An order of 500 rupees": {"amount": 50000, "currency": "INR", "receipt": "receipt-1", "notes": {"cart": "c-81"}},
    "An order that takes several payments": {"amount": 20000, "multiple_payments": True},
}


@router.post(
    "/orders",
    status_code=201,
    response_model=OrderAnswer,
    summary="Create an order",
    responses=errors(400, 401, 409, 413, 422, 429),
    openapi_extra=idempotent(body(bodies.NEW_ORDER, _EXAMPLES)),
)
async def create(request: Request) -> Response:
    using = dependencies_of(request)
    merchant_id: UUID = await merchant_of(request, using)
    given = await read_body(request, NewOrder)

    async def work(fence: Fence | None) -> StoredResponse:
        return await create_order(using, merchant_id, given, fence)

    return await answer_once(request, using.keys, merchant_id, work)


@router.get("/orders", response_model=OrderPage, summary="List orders, newest first", responses=errors(400, 401, 429))
async def list_orders(
    request: Request,
    limit: Limit = DEFAULT_LIMIT,
    starting_after: StartingAfter = None,
    status: OrderStatus = None,
    created_gte: CreatedGte = None,
    created_lte: CreatedLte = None,
) -> Response:
    using = dependencies_of(request)
    merchant_id = await merchant_of(request, using)
    page = Page(
        limit + 1, starting_after, read_moment(created_gte, "created_gte"), read_moment(created_lte, "created_lte")
    )
    found = await lists.orders(using.database, merchant_id, page, status=status)
    return json_response(as_page([order_fields(order) for order in found], limit))


@router.get(
    "/orders/{order_id}", response_model=OrderAnswer, summary="Get an order", responses=errors(400, 401, 404, 429)
)
async def get(request: Request, order_id: str) -> Response:
    using = dependencies_of(request)
    merchant_id = await merchant_of(request, using)
    order = await orders.find(using.database, merchant_id, order_id) if is_order_reference(order_id) else None
    if order is None:
        raise NotFoundError("Order not found")
    return json_response(order_fields(order))


@router.get(
    "/orders/{order_id}/public",
    tags=["Checkout"],
    response_model=PublicOrderAnswer,
    summary="What a checkout shows of an order",
    responses=errors(400, 404, 429),
)
async def get_public(request: Request, order_id: str) -> Response:
    using = dependencies_of(request)
    await shopper(request, using)
    found = await orders.find_public(using.database, order_id) if is_order_reference(order_id) else None
    if found is None:
        raise NotFoundError("Order not found")
    order, merchant_name, frame_origins = found
    return json_response(
        {
            "id": order.id,
            "amount": order.amount,
            "currency": order.currency,
            "status": order.status,
            # A paid order that takes more payments shows the form again.
            "multiple_payments": order.multiple_payments,
            "merchant": {"name": merchant_name, "allowed_frame_origins": frame_origins},
            "test_mode": using.settings.test_mode,
        }
    )
