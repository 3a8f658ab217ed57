"""The delivery log: list, detail, retry."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway_common.idempotency import Fence, StoredResponse, begin_fence, finish_fence
from gateway_common.web.answers import answer_once, json_response, stored
from gateway_common.web.application import GatewayRoute
from gateway_common.web.lists import DEFAULT_LIMIT, Limit
from webhooks.domain.states import DeliveryStatus
from webhooks.endpoints.answers import (
    TAKES_A_KEY,
    DeliveryDetailAnswer,
    DeliveryList,
    RetryAnswer,
    answers,
    answers_once,
)
from webhooks.endpoints.dependencies import Merchant, WithParts
from webhooks.errors import DeliveryNotFoundError
from webhooks.repositories import log
from webhooks.schemas import show_delivery, show_delivery_detail

router = APIRouter(prefix="/api/v1", route_class=GatewayRoute, tags=["Webhooks"])

Offset = Annotated[int, Query(ge=0, le=10_000_000)]


def _read_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise DeliveryNotFoundError from error


@router.get("/webhooks", responses=answers(DeliveryList))
async def list_deliveries(
    merchant_id: Merchant,
    parts: WithParts,
    limit: Limit = DEFAULT_LIMIT,
    offset: Offset = 0,
    status: Annotated[DeliveryStatus | None, Query()] = None,
    event: Annotated[str | None, Query(max_length=64)] = None,
    endpoint_id: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Deliveries, newest first. What was never to be sent (filtered out, endpoint disabled) is shown for `status=skipped`."""
    statuses = log.SHOWN_BY_DEFAULT if status is None else (status,)
    rows, total = await log.page(
        parts.service.database, merchant_id, log.LogFilter(statuses, event, endpoint_id), limit, offset
    )
    return json_response(
        {"data": [show_delivery(row) for row in rows], "total": total, "limit": limit, "offset": offset}
    )


@router.get("/webhooks/{delivery_id}", responses=answers(DeliveryDetailAnswer))
async def read_delivery(delivery_id: str, merchant_id: Merchant, parts: WithParts) -> Response:
    """One delivery with its payload, every attempt with its timings and headers, and a curl line that repeats the last one."""
    found = await log.detail(parts.service.database, merchant_id, _read_id(delivery_id))
    if found is None:
        raise DeliveryNotFoundError
    return json_response(show_delivery_detail(*found))


@router.post("/webhooks/{delivery_id}/retry", responses=answers_once(RetryAnswer), openapi_extra=TAKES_A_KEY)
async def retry_delivery(delivery_id: str, request: Request, merchant_id: Merchant, parts: WithParts) -> Response:
    """Send it again now, with a new round of attempts, whatever state it is in."""
    identifier = _read_id(delivery_id)
    service = parts.service

    async def work(fence: Fence | None) -> StoredResponse:
        async with service.database.transaction() as transaction:
            if (replay := await begin_fence(transaction, fence, service.clock.now())) is not None:
                return replay
            dues = await service.retry(transaction, merchant_id, identifier)
            shown: dict[str, Any] = {
                "id": str(identifier),
                "status": "pending",
                "message": "Webhook retry scheduled",
            }
            response = stored(shown)
            await finish_fence(transaction, fence, response)
        await service.announce(dues)
        return response

    return await answer_once(request, parts.keys, merchant_id, work)
