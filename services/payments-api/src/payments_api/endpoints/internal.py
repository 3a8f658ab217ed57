"""`/internal/v1`: for our other services, with signed tokens; the edge never routes it."""

from __future__ import annotations

from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from gateway_common.auth.remote_keys import key_to_json
from gateway_common.errors import BadRequestError, NotFoundError
from gateway_common.ids import has_shape
from gateway_common.web.answers import json_response
from gateway_common.web.internal import internal_router
from gateway_common.web.reading import read_body
from payments_api.dependencies import dependencies_of
from payments_api.rendering import payment_fields
from payments_api.repositories import merchants, payments
from payments_api.repositories.merchants import DatabaseKeySource
from payments_api.schemas import NewMerchant
from payments_api.use_cases.register_merchant import register_merchant

router = internal_router(lambda request: dependencies_of(request).tokens)


@router.get("/api-keys/{key:path}")
async def find_key(request: Request, key: str) -> Response:
    """`null`, or the key as `gateway_common.auth.remote_keys` reads it."""
    using = dependencies_of(request)
    found = await DatabaseKeySource(using.database).find(key)
    return Response(key_to_json(found), media_type="application/json")


@router.get("/payments/{payment_id}")
async def find_payment(request: Request, payment_id: str, merchant_id: UUID) -> Response:
    """The payment as its events carry it, with the highest sequence number known here."""
    using = dependencies_of(request)
    found = await payments.find(using.database, merchant_id, payment_id) if has_shape(payment_id, "pay_") else None
    if found is None:
        raise NotFoundError("Payment not found")
    return json_response(
        {"merchant_id": str(merchant_id), "sequence": found.sequence, "payment": payment_fields(found)}
    )


@router.post("/merchants")
async def create_merchant(request: Request) -> Response:
    """Sign-up. A taken email address is refused, so that a repeat makes no second merchant."""
    using = dependencies_of(request)
    given = await read_body(request, NewMerchant)
    made = await register_merchant(
        using.database, using.now(), given.name, given.email, is_test=using.settings.test_mode
    )
    if made is None:
        error = BadRequestError("This email address is taken", field="email", reason="email_taken")
        error.status = 409
        raise error
    return json_response(made.as_shown_once(), 201)


@router.get("/merchants/{merchant_id}")
async def find_merchant(request: Request, merchant_id: UUID) -> Response:
    using = dependencies_of(request)
    merchant = await merchants.find(using.database, merchant_id)
    if merchant is None:
        raise NotFoundError("Merchant not found")
    return json_response({"id": str(merchant["id"]), "name": merchant["name"], "email": merchant["email"]})
