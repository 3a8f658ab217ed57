"""`/payments/public`: what a shopper's browser may do (WEB.md). No credentials, nothing secret in any answer."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway_common.errors import NotFoundError
from gateway_common.idempotency import StoredResponse
from gateway_common.ids import has_shape
from gateway_common.web.answers import fence_of, json_response, stored_response
from gateway_common.web.problems import problem_body
from gateway_common.web.reading import read_body
from payments_api.callers import shopper
from payments_api.client_tokens import checkout_signature
from payments_api.dependencies import Dependencies, dependencies_of
from payments_api.documentation import bodies
from payments_api.documentation.answers import NewPublicPaymentAnswer, PublicPaymentAnswer
from payments_api.documentation.describing import body, errors, idempotent
from payments_api.domain.payment import Payment
from payments_api.rendering import public_payment_fields
from payments_api.repositories import merchants, orders, payments
from payments_api.schemas import EXAMPLE_CARD, NewPublicPayment, is_order_reference
from payments_api.use_cases.create_payment import PaymentRequest, create_payment

router = APIRouter(prefix="/api/v1", tags=["Checkout"])

LONGEST_WAIT_SECONDS = 25

_EXAMPLES = {
    "By UPI": {"order_id": "order_test_123", "method": "upi", "vpa": "success@upi"},
    "By card": {"order_id": "order_test_123", "method": "card", "card": EXAMPLE_CARD},
}


@router.post(
    "/payments/public",
    status_code=201,
    response_model=NewPublicPaymentAnswer,
    summary="Pay a registered order from a browser",
    responses=errors(400, 404, 409, 413, 422, 429),
    openapi_extra=idempotent(body(bodies.NEW_PUBLIC_PAYMENT, _EXAMPLES)),
)
async def create(request: Request) -> Response:
    using = dependencies_of(request)
    await shopper(request, using)
    given = await read_body(request, NewPublicPayment)
    found = await orders.find_public(using.database, given.order_id) if is_order_reference(given.order_id) else None
    if found is None:
        raise NotFoundError("Order not found", field="order_id")
    order = found[0]
    asked = PaymentRequest(order.id, given.method, given.vpa, given.card)

    def render(payment: Payment) -> bytes:
        token = using.client_tokens.issue(payment.id, payment.created_at)
        return orjson.dumps({**public_payment_fields(payment), "client_token": token})

    fence = await fence_of(request, using.keys, order.merchant_id)
    if fence is not None:
        # A room of its own: no shopper can use up a key of the merchant's, or of another order's shopper.
        fence = dataclasses.replace(fence, key=f"public:{order.id}:{fence.key}")

    async def work() -> StoredResponse:
        return await create_payment(using, order.merchant_id, asked, fence, render)

    return stored_response(await using.keys.run(fence, work, problem_body))


@router.get(
    "/payments/{payment_id}/public",
    response_model=PublicPaymentAnswer,
    response_model_exclude_unset=True,
    summary="The state of a payment, at once or when it is decided",
    responses=errors(400, 404, 429),
)
async def get(
    request: Request,
    payment_id: str,
    client_token: Annotated[str | None, Query(max_length=200, description="From the payment's creation")] = None,
    wait: Annotated[int, Query(ge=0, le=LONGEST_WAIT_SECONDS, description="Seconds to wait for a verdict")] = 0,
    key: Annotated[str | None, Query(max_length=200, description="The API key the checkout was opened with")] = None,
) -> Response:
    using = dependencies_of(request)
    await shopper(request, using)
    payment = await _find(using, payment_id)
    if payment.status == "pending" and wait:
        await using.watch.wait(payment.id, wait)
        payment = await _find(using, payment_id)
    fields = public_payment_fields(payment)
    signature = await _signature(using, payment, client_token, key)
    if signature is not None:
        fields["signature"] = signature
    return json_response(fields)


async def _find(using: Dependencies, payment_id: str) -> Payment:
    found = await payments.find_public(using.database, payment_id) if has_shape(payment_id, "pay_") else None
    if found is None:
        raise NotFoundError("Payment not found")
    return found


async def _signature(using: Dependencies, payment: Payment, client_token: str | None, key: str | None) -> str | None:
    """Only for whoever made the payment, of a successful one, with the key of its merchant."""
    if payment.status != "success" or client_token is None or key is None or not key.isprintable():
        return None
    now = using.now()
    if not using.client_tokens.is_valid(client_token, payment.id, now):
        return None
    signing_key = await merchants.find_signing_key(using.database, key, payment.merchant_id, now)
    return None if signing_key is None else checkout_signature(signing_key, payment.order_id, payment.id)
