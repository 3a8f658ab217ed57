"""`/dashboard/webhooks/replays`: send many webhooks again, and watch how far it got."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from dashboard.errors import ApiRefusalError
from dashboard.pages.transactions import Attempt
from dashboard.pages.visiting import Rendered, Who
from dashboard.wiring import Wired
from gateway_common.clock import to_iso

router = APIRouter(include_in_schema=False, prefix="/dashboard/webhooks/replays")

PATH = "/dashboard/webhooks"
SPANS = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}


@router.post("")
async def replay(
    who: Who,
    wired: Wired,
    pages: Rendered,
    attempt: Attempt,
    span: Annotated[Literal["1h", "24h", "7d", "30d"], Form()] = "24h",
    status: Annotated[Literal["", "failed", "success", "cancelled", "skipped"], Form()] = "failed",
    event: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    body: dict[str, Any] = {"since": to_iso(wired.clock.now() - SPANS[span])}
    body |= {name: value for name, value in (("status", status), ("event", event)) if value}
    try:
        made = await wired.webhooks.replay(who.merchant_id, body, f"dashboard-{attempt}")
    except ApiRefusalError as error:
        return pages.go(PATH, error.description, "bad")
    return pages.go(f"{PATH}/replays/{made['id']}")


@router.post("/{replay_id}")
async def steer(
    replay_id: UUID,
    who: Who,
    wired: Wired,
    pages: Rendered,
    action: Annotated[Literal["pause", "resume", "cancel"], Form()],
) -> Response:
    path = f"{PATH}/replays/{replay_id}"
    try:
        await wired.webhooks.steer_replay(who.merchant_id, str(replay_id), action)
    except ApiRefusalError as error:
        return pages.go(path, error.description, "bad")
    return pages.go(path)


@router.get("/{replay_id}")
async def progress(replay_id: UUID, request: Request, who: Who, wired: Wired, pages: Rendered) -> Response:
    found = await wired.webhooks.replay_progress(who.merchant_id, str(replay_id))
    return await pages.show(request, "replay.html", who, replay=found)
