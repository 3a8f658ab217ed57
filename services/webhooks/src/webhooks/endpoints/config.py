"""The merchant's default endpoint: one URL and its secret."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from gateway_common.database import Connection
from gateway_common.idempotency import Fence, StoredResponse, begin_fence, finish_fence
from gateway_common.web.answers import answer_once, stored
from gateway_common.web.application import GatewayRoute
from webhooks.endpoints.answers import (
    TAKES_A_KEY,
    ConfigAnswer,
    RotatedConfigAnswer,
    ScheduledTestAnswer,
    answers,
    answers_once,
)
from webhooks.endpoints.dependencies import Merchant, Parts, WithParts
from webhooks.errors import EndpointNotFoundError
from webhooks.repositories.endpoints import Endpoint
from webhooks.schemas import ConfigInput, TestInput
from webhooks.service import SECRET_OVERLAP, WebhookService

router = APIRouter(prefix="/api/v1", route_class=GatewayRoute, tags=["Webhooks"])


async def _show(service: WebhookService, endpoint: Endpoint) -> dict[str, Any]:
    return {"webhook_url": endpoint.url, "webhook_secret": await service.secret_of(endpoint)}


@router.get("/webhooks/config", response_model=None, responses=answers(ConfigAnswer))
@router.get("/webhooks/settings", response_model=None, responses=answers(ConfigAnswer))
async def read_config(merchant_id: Merchant, parts: WithParts) -> dict[str, Any]:
    """URL and secret of the default endpoint."""
    return await _show(parts.service, await parts.service.endpoints.default(merchant_id, parts.service.clock.now()))


@router.put("/webhooks/config", response_model=None, responses=answers(ConfigAnswer))
@router.put(
    "/webhooks/settings",
    response_model=None,
    responses=answers(ConfigAnswer),
    description="The same as `PUT /webhooks/config`; also takes `webhookUrl`.",
)
async def write_config(change: ConfigInput, merchant_id: Merchant, parts: WithParts) -> dict[str, Any]:
    """Set the default endpoint's URL, or remove it with null. Setting it enables an endpoint that was disabled by a 410."""
    service = parts.service
    if change.webhook_url is not None:
        await service.vet(change.webhook_url, "webhook_url")
    endpoint = await service.endpoints.default(merchant_id, service.clock.now())
    async with service.database.transaction() as transaction:
        changes = {"url": change.webhook_url, "is_enabled": True}
        endpoint = await service.update(transaction, merchant_id, endpoint.id, changes)
    return await _show(service, endpoint)


@router.post("/webhooks/regenerate-secret", responses=answers_once(RotatedConfigAnswer), openapi_extra=TAKES_A_KEY)
async def regenerate_secret(request: Request, merchant_id: Merchant, parts: WithParts) -> Response:
    """A new secret for the default endpoint. The old one keeps signing too for 24 hours."""
    service = parts.service
    endpoint = await service.endpoints.default(merchant_id, service.clock.now())

    async def work(fence: Fence | None) -> StoredResponse:
        now = service.clock.now()
        async with service.database.transaction() as transaction:
            if (replay := await begin_fence(transaction, fence, now)) is not None:
                return replay
            secret = await service.rotate_secret(transaction, merchant_id, endpoint.id)
            ends = (now + SECRET_OVERLAP).isoformat(timespec="seconds").replace("+00:00", "Z")
            response = stored(
                {"webhook_url": endpoint.url, "webhook_secret": secret, "previous_secret_expires_at": ends}
            )
            await finish_fence(transaction, fence, response)
        return response

    return await answer_once(request, parts.keys, merchant_id, work)


@router.post("/webhooks/test", responses=answers_once(ScheduledTestAnswer), openapi_extra=TAKES_A_KEY)
async def send_test(
    request: Request, merchant_id: Merchant, parts: WithParts, wanted: Annotated[TestInput | None, Body()] = None
) -> Response:
    """Send `webhook.test` to the default endpoint, or to the one named by `endpoint_id`."""
    service = parts.service
    endpoint = await _chosen(parts, merchant_id, wanted)
    if endpoint.url is not None:
        await service.vet(endpoint.url, "webhook_url")

    async def work(fence: Fence | None) -> StoredResponse:
        async with service.database.transaction() as transaction:
            if (replay := await begin_fence(transaction, fence, service.clock.now())) is not None:
                return replay
            response, planned = await _plan_test(service, transaction, endpoint)
            await finish_fence(transaction, fence, response)
        await service.announce([planned])
        return response

    return await answer_once(request, parts.keys, merchant_id, work)


async def _chosen(parts: Parts, merchant_id: UUID, wanted: TestInput | None) -> Endpoint:
    if wanted is None or wanted.endpoint_id is None:
        return await parts.service.endpoints.default(merchant_id, parts.service.clock.now())
    found = await parts.service.endpoints.find(merchant_id, wanted.endpoint_id)
    if found is None:
        raise EndpointNotFoundError
    return found


async def _plan_test(
    service: WebhookService, transaction: Connection, endpoint: Endpoint
) -> tuple[StoredResponse, Any]:
    planned = await service.send_test(transaction, endpoint)
    shown = {
        "id": str(planned.id),
        "event": "webhook.test",
        "endpoint_id": endpoint.id,
        "status": "pending",
        "message": "Test webhook scheduled",
    }
    return stored(shown), planned
