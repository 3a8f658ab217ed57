"""Several endpoints per merchant: create, read, change, delete, new secret."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway_common.idempotency import Fence, StoredResponse, begin_fence, finish_fence
from gateway_common.web.answers import answer_once, stored
from gateway_common.web.application import GatewayRoute
from gateway_common.web.lists import DEFAULT_LIMIT, Limit, StartingAfter, as_page
from webhooks.endpoints.answers import (
    TAKES_A_KEY,
    DeletedAnswer,
    EndpointPage,
    EndpointWithSecretAnswer,
    SecretAnswer,
    answers,
    answers_once,
)
from webhooks.endpoints.dependencies import Merchant, WithParts
from webhooks.errors import EndpointNotFoundError
from webhooks.repositories.endpoints import Endpoint
from webhooks.schemas import EndpointChanges, EndpointInput, show_endpoint
from webhooks.service import WebhookService

router = APIRouter(prefix="/api/v1", route_class=GatewayRoute, tags=["Webhook endpoints"])


async def _find(service: WebhookService, merchant_id: UUID, endpoint_id: str) -> Endpoint:
    found = await service.endpoints.find(merchant_id, endpoint_id)
    if found is None:
        raise EndpointNotFoundError
    return found


@router.post(
    "/webhook-endpoints",
    status_code=201,
    responses=answers_once(EndpointWithSecretAnswer, 201),
    openapi_extra=TAKES_A_KEY,
)
async def create_endpoint(wanted: EndpointInput, request: Request, merchant_id: Merchant, parts: WithParts) -> Response:
    """A new endpoint with a secret of its own. `events` limits what it gets; `schedule: extended` adds 6 h, 12 h and 24 h."""
    service = parts.service
    await service.vet(wanted.url, "url")

    async def work(fence: Fence | None) -> StoredResponse:
        async with service.database.transaction() as transaction:
            if (replay := await begin_fence(transaction, fence, service.clock.now())) is not None:
                return replay
            endpoint = await service.create(
                transaction,
                merchant_id,
                url=wanted.url,
                description=wanted.description,
                event_types=wanted.events,
                is_enabled=wanted.enabled,
                schedule=wanted.schedule,
            )
            secret = await service.endpoints.first_secret(transaction, endpoint.id)
            response = stored(show_endpoint(endpoint, secret), 201)
            await finish_fence(transaction, fence, response)
        return response

    return await answer_once(request, parts.keys, merchant_id, work)


@router.get("/webhook-endpoints", response_model=None, responses=answers(EndpointPage))
async def list_endpoints(
    merchant_id: Merchant, parts: WithParts, limit: Limit = DEFAULT_LIMIT, starting_after: StartingAfter = None
) -> dict[str, Any]:
    """Endpoints that have a URL, the default one among them, newest first."""
    found = await parts.service.endpoints.page(merchant_id, starting_after, limit)
    return as_page([show_endpoint(endpoint) for endpoint in found], limit)


@router.get("/webhook-endpoints/{endpoint_id}", response_model=None, responses=answers(EndpointWithSecretAnswer))
async def read_endpoint(endpoint_id: str, merchant_id: Merchant, parts: WithParts) -> dict[str, Any]:
    endpoint = await _find(parts.service, merchant_id, endpoint_id)
    return show_endpoint(endpoint, await parts.service.secret_of(endpoint))


@router.patch("/webhook-endpoints/{endpoint_id}", response_model=None, responses=answers(EndpointWithSecretAnswer))
async def change_endpoint(
    endpoint_id: str, wanted: EndpointChanges, merchant_id: Merchant, parts: WithParts
) -> dict[str, Any]:
    """Change what is sent in. Disabling stops pending deliveries; a new URL gets them."""
    service = parts.service
    changes = wanted.as_fields()
    if "url" in changes:
        await service.vet(changes["url"], "url")
    async with service.database.transaction() as transaction:
        endpoint = await service.update(transaction, merchant_id, endpoint_id, changes)
    return show_endpoint(endpoint, await service.secret_of(endpoint))


@router.delete("/webhook-endpoints/{endpoint_id}", response_model=None, responses=answers(DeletedAnswer))
async def delete_endpoint(endpoint_id: str, merchant_id: Merchant, parts: WithParts) -> dict[str, Any]:
    """Its log stays; what is pending stops."""
    async with parts.service.database.transaction() as transaction:
        await parts.service.delete(transaction, merchant_id, endpoint_id)
    return {"id": endpoint_id, "deleted": True}


@router.post(
    "/webhook-endpoints/{endpoint_id}/regenerate-secret",
    responses=answers_once(SecretAnswer),
    openapi_extra=TAKES_A_KEY,
)
async def regenerate_endpoint_secret(
    endpoint_id: str, request: Request, merchant_id: Merchant, parts: WithParts
) -> Response:
    """A new secret. The old one keeps signing too for 24 hours."""
    service = parts.service

    async def work(fence: Fence | None) -> StoredResponse:
        async with service.database.transaction() as transaction:
            if (replay := await begin_fence(transaction, fence, service.clock.now())) is not None:
                return replay
            secret = await service.rotate_secret(transaction, merchant_id, endpoint_id)
            response = stored({"id": endpoint_id, "secret": secret})
            await finish_fence(transaction, fence, response)
        return response

    return await answer_once(request, parts.keys, merchant_id, work)
