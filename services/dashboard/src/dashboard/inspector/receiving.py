"""`POST /inspector/<token>`: take a webhook, verify it, keep it, answer as told."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from dashboard.domain.signatures import verified_by
from dashboard.inspector.repository import Inspector, Received
from dashboard.live.hub import Change
from dashboard.wiring import Wired
from gateway_common.errors import NotFoundError, RateLimitedError

router = APIRouter(include_in_schema=False)

# Slow answers hold a connection each; a merchant's own slowness must not use up everybody's.
MOST_AT_ONCE = 50
_KEPT_HEADERS = ("content-type", "user-agent", "x-webhook-", "webhook-")

_at_once: Counter[str] = Counter()


@router.post("/inspector/{token}")
async def receive(token: str, request: Request, wired: Wired) -> Response:
    """No session: the address is the key, and what comes is only kept and shown, never acted upon."""
    inspector = await wired.inspections.inspector_at(token)
    if inspector is None:
        raise NotFoundError("There is no inspector at this address")
    if _at_once[token] >= MOST_AT_ONCE:
        raise RateLimitedError("This inspector is busy", retry_after_seconds=2)
    _at_once[token] += 1
    try:
        await _keep(inspector, request, wired)
        await asyncio.sleep(inspector.answer_delay_ms / 1000)
    finally:
        _at_once[token] -= 1
        if not _at_once[token]:
            del _at_once[token]
    return Response(
        orjson.dumps({"received": True, "answered_as_told": inspector.answer_status}),
        status_code=inspector.answer_status,
        media_type="application/json",
    )


async def _keep(inspector: Inspector, request: Request, wired: Wired) -> None:
    body = await request.body()
    headers = {name: value for name, value in request.headers.items() if name.startswith(_KEPT_HEADERS)}
    attempt = headers.get("x-webhook-attempt", "")
    secrets = await wired.secrets_in_use.of(inspector.merchant_id)
    text = body.decode("utf-8", "replace").replace("\x00", "\ufffd")  # PostgreSQL's text holds no NUL
    received = Received(
        merchant_id=inspector.merchant_id,
        received_at=wired.clock.now(),
        event=headers.get("x-webhook-event"),
        event_id=headers.get("x-webhook-id"),
        attempt=int(attempt) if attempt.isascii() and attempt.isdigit() and len(attempt) < 6 else None,
        payment_id=_payment_id(body),
        headers={name: value[:1000] for name, value in headers.items()},
        body=text,
        verified_by=verified_by(secrets, headers, body),
        answered_status=inspector.answer_status,
    )
    await wired.inspections.add(received)
    wired.hub.publish(
        inspector.merchant_id, Change("inspections", {"event": received.event, "verified": received.is_verified})
    )


def _payment_id(body: bytes) -> str | None:
    """The payment that a webhook's body is about."""
    try:
        data: Any = orjson.loads(body)["data"]
        found = data["payment"]["id"] if "payment" in data else data["refund"]["payment_id"]
    except (ValueError, KeyError, TypeError):
        return None
    return found[:64] if isinstance(found, str) else None
