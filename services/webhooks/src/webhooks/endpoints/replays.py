"""Send many deliveries again: by time and filter, at a rate, with progress, pause and cancel."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway_common.errors import ValidationError
from gateway_common.idempotency import Fence, StoredResponse, begin_fence, finish_fence
from gateway_common.web.answers import answer_once, stored
from gateway_common.web.application import GatewayRoute
from gateway_common.web.lists import DEFAULT_LIMIT, Limit, StartingAfter, as_page
from webhooks.endpoints.answers import (
    TAKES_A_KEY,
    DryRunAnswer,
    ReplayAnswer,
    ReplayPage,
    answers,
    answers_once,
)
from webhooks.endpoints.dependencies import Merchant, Parts, WithParts
from webhooks.errors import ReplayNotFoundError, ReplayStateError
from webhooks.repositories import replays
from webhooks.repositories.replays import ReplayFilter
from webhooks.schemas import ReplayInput, iso, show_replay

router = APIRouter(prefix="/api/v1", route_class=GatewayRoute, tags=["Webhooks"])


def _read_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise ReplayNotFoundError from error


@router.post(
    "/webhooks/replay",
    status_code=202,
    responses={**answers(DryRunAnswer), **answers_once(ReplayAnswer, 202)},
    openapi_extra=TAKES_A_KEY,
)
async def start_replay(wanted: ReplayInput, request: Request, merchant_id: Merchant, parts: WithParts) -> Response:
    """Send again what matches, oldest first, with the same event ids and new signatures. `dry_run` only counts (200)."""
    service = parts.service
    until = wanted.until or service.clock.now()
    if until <= wanted.since:
        raise ValidationError("until must be later than since", field="until", reason="empty_range")
    chosen = ReplayFilter(wanted.since, until, wanted.event, wanted.status, wanted.endpoint_id)

    async def work(fence: Fence | None) -> StoredResponse:
        now = service.clock.now()
        async with service.database.transaction() as transaction:
            if (replay := await begin_fence(transaction, fence, now)) is not None:
                return replay
            total = await replays.count(transaction, merchant_id, chosen)
            if wanted.dry_run:
                response = stored(
                    {"dry_run": True, "total": total, "since": iso(chosen.since), "until": iso(chosen.until)}
                )
            else:
                row = await replays.start(transaction, merchant_id, chosen, wanted.rate, total, now)
                response = stored(show_replay(row), 202)
            await finish_fence(transaction, fence, response)
        return response

    return await answer_once(request, parts.keys, merchant_id, work)


@router.get("/webhooks/replays", response_model=None, responses=answers(ReplayPage))
async def list_replays(
    merchant_id: Merchant, parts: WithParts, limit: Limit = DEFAULT_LIMIT, starting_after: StartingAfter = None
) -> dict[str, Any]:
    cursor = None if starting_after is None else _read_id(starting_after)
    rows = await replays.page(parts.service.database, merchant_id, cursor, limit)
    return as_page([show_replay(row) for row in rows], limit)


@router.get("/webhooks/replays/{replay_id}", response_model=None, responses=answers(ReplayAnswer))
async def read_replay(replay_id: str, merchant_id: Merchant, parts: WithParts) -> dict[str, Any]:
    """`queued` of `total` have been started again."""
    row = await replays.find(parts.service.database, merchant_id, _read_id(replay_id))
    if row is None:
        raise ReplayNotFoundError
    return show_replay(row)


@router.post("/webhooks/replays/{replay_id}/pause", responses=answers_once(ReplayAnswer), openapi_extra=TAKES_A_KEY)
async def pause_replay(replay_id: str, request: Request, merchant_id: Merchant, parts: WithParts) -> Response:
    return await _set_status(request, parts, merchant_id, replay_id, "paused", ["running", "paused"])


@router.post("/webhooks/replays/{replay_id}/resume", responses=answers_once(ReplayAnswer), openapi_extra=TAKES_A_KEY)
async def resume_replay(replay_id: str, request: Request, merchant_id: Merchant, parts: WithParts) -> Response:
    return await _set_status(request, parts, merchant_id, replay_id, "running", ["running", "paused"])


@router.post("/webhooks/replays/{replay_id}/cancel", responses=answers_once(ReplayAnswer), openapi_extra=TAKES_A_KEY)
async def cancel_replay(replay_id: str, request: Request, merchant_id: Merchant, parts: WithParts) -> Response:
    """What has been queued is still sent."""
    return await _set_status(request, parts, merchant_id, replay_id, "cancelled", ["running", "paused", "cancelled"])


async def _set_status(
    request: Request, parts: Parts, merchant_id: UUID, replay_id: str, status: str, allowed: list[str]
) -> Response:
    identifier = _read_id(replay_id)
    service = parts.service

    async def work(fence: Fence | None) -> StoredResponse:
        now = service.clock.now()
        async with service.database.transaction() as transaction:
            if (replay := await begin_fence(transaction, fence, now)) is not None:
                return replay
            row = await replays.set_status(transaction, merchant_id, identifier, status, allowed, now)
            if row is not None:
                response = stored(show_replay(row))
                await finish_fence(transaction, fence, response)
                return response
        if await replays.find(service.database, merchant_id, identifier) is None:
            raise ReplayNotFoundError
        raise ReplayStateError

    return await answer_once(request, parts.keys, merchant_id, work)
