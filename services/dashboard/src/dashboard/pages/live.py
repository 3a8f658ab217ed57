"""`/dashboard/live`: changes as server-sent events (WHATWG HTML, 9.2), to the windows of this session only."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import orjson
from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from dashboard.accounts.sessions import SignedIn
from dashboard.live.hub import Change, Stream
from dashboard.pages.visiting import Who
from dashboard.wiring import Wired, Wiring
from gateway_common.errors import ServiceUnavailableError

router = APIRouter(include_in_schema=False)

# Often enough that proxies keep the connection, and that a session that ended elsewhere is noticed.
HEARTBEAT_SECONDS = 15.0
_RECONNECT_MS = 1000
_FINAL = {"retired", "closed", "draining"}


@router.get("/dashboard/live")
async def live(who: Who, wired: Wired, topics: str = "") -> Response:
    if wired.hub.is_draining:
        raise ServiceUnavailableError("Stopping", reason="draining")
    stream = Stream(who.merchant_id, who.session_id, topics.split(","))
    return StreamingResponse(
        _events(stream, who, wired),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(stream: Stream, who: SignedIn, wired: Wiring) -> AsyncIterator[bytes]:
    wired.hub.open(stream)
    try:
        yield f"retry: {_RECONNECT_MS}\nevent: ready\ndata: {{}}\n\n".encode()
        checked = time.monotonic()
        while True:
            change = await stream.next(HEARTBEAT_SECONDS)
            if time.monotonic() - checked >= HEARTBEAT_SECONDS:
                # A steady flow of changes must not keep an ended session's window open either.
                if await wired.accounts.sessions.find(who.token, is_activity=False) is None:
                    change = Change("closed")
                checked = time.monotonic()
            if change is None:
                yield b": still here\n\n"
                continue
            yield b"event: " + change.kind.encode() + b"\ndata: " + orjson.dumps(change.data) + b"\n\n"
            if change.kind in _FINAL:
                return
    finally:
        wired.hub.close(stream)
