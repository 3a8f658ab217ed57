"""Every event of the merchant, 30 days back: the pull side, for receivers that want to be sure they missed none."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from gateway_common.web.application import GatewayRoute
from gateway_common.web.lists import DEFAULT_LIMIT, Limit, StartingAfter, as_page
from webhooks.endpoints.answers import EventDetailAnswer, EventPage, answers
from webhooks.endpoints.dependencies import Merchant, WithParts
from webhooks.errors import EventNotFoundError
from webhooks.repositories import events, log
from webhooks.schemas import Moment, show_delivery, show_event

router = APIRouter(prefix="/api/v1", route_class=GatewayRoute, tags=["Events"])


@router.get("/events", response_model=None, responses=answers(EventPage))
async def list_events(
    merchant_id: Merchant,
    parts: WithParts,
    limit: Limit = DEFAULT_LIMIT,
    starting_after: StartingAfter = None,
    event: Annotated[str | None, Query(max_length=64)] = None,
    payment_id: Annotated[str | None, Query(max_length=64)] = None,
    created_gte: Annotated[Moment | None, Query()] = None,
    created_lte: Annotated[Moment | None, Query()] = None,
) -> dict[str, Any]:
    """Newest first. `data` is what the webhook's body carries."""
    rows = await events.page(
        parts.service.database,
        merchant_id,
        limit=limit,
        starting_after=starting_after,
        event_type=event,
        payment_id=payment_id,
        created_gte=created_gte,
        created_lte=created_lte,
    )
    return as_page([show_event(row) for row in rows], limit)


@router.get("/events/{event_id}", response_model=None, responses=answers(EventDetailAnswer))
async def read_event(event_id: str, merchant_id: Merchant, parts: WithParts) -> dict[str, Any]:
    """One event, and a delivery for each endpoint of its time, with the reason where it was not sent."""
    row = await events.find(parts.service.database, merchant_id, event_id)
    if row is None:
        raise EventNotFoundError
    sent = await log.of_event(parts.service.database, merchant_id, row["created_at"], event_id)
    return {**show_event(row), "deliveries": [show_delivery(delivery) for delivery in sent]}
