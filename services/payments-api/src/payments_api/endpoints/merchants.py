"""`/merchant`: who I am, and my keys."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway_common.clock import to_iso
from gateway_common.errors import NotFoundError
from gateway_common.web.answers import fence_of, json_response, stored_response
from payments_api.callers import merchant_of
from payments_api.dependencies import dependencies_of
from payments_api.documentation.answers import KeyAnswer, MerchantAnswer, NewKeyAnswer
from payments_api.documentation.describing import errors, idempotent
from payments_api.repositories import merchants
from payments_api.use_cases.rotate_keys import add_key, end_key, key_fields

router = APIRouter(prefix="/api/v1", tags=["Merchant"])

LONGEST_OVERLAP_HOURS = 24 * 30


@router.get(
    "/merchant", response_model=MerchantAnswer, summary="You and your active keys", responses=errors(400, 401, 429)
)
async def get(request: Request) -> Response:
    using = dependencies_of(request)
    merchant_id = await merchant_of(request, using)
    merchant = await merchants.find(using.database, merchant_id)
    if merchant is None:
        raise NotFoundError("Merchant not found")
    keys = await merchants.active_keys(using.database, merchant_id, using.now())
    return json_response(
        {
            "id": str(merchant_id),
            "name": merchant["name"],
            "email": merchant["email"],
            "keys": [key_fields(*key.values()) for key in keys],
            "created_at": to_iso(merchant["created_at"]),
        }
    )


@router.post(
    "/merchant/keys",
    status_code=201,
    response_model=NewKeyAnswer,
    summary="A new pair of keys; the secret is shown this once",
    responses=errors(400, 401, 409, 413, 422, 429),
    openapi_extra=idempotent(),
)
async def create_key(request: Request) -> Response:
    using = dependencies_of(request)
    merchant_id = await merchant_of(request, using)
    # Not through Redis: the answer holds a secret, which is kept nowhere.
    fence = await fence_of(request, using.keys, merchant_id)
    return stored_response(await add_key(using, merchant_id, fence))


@router.delete(
    "/merchant/keys/{key_id}",
    response_model=KeyAnswer,
    summary="End a key, now or after an overlap",
    responses=errors(400, 401, 404, 413, 429),
)
async def delete_key(
    request: Request,
    key_id: UUID,
    after_hours: Annotated[
        int, Query(ge=0, le=LONGEST_OVERLAP_HOURS, description="How much longer it works; 0 ends it within 5 seconds")
    ] = 0,
) -> Response:
    using = dependencies_of(request)
    merchant_id = await merchant_of(request, using)
    return json_response(await end_key(using, merchant_id, key_id, after_hours))
