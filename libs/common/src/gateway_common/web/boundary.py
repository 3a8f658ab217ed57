"""The outermost layer of every HTTP service, in plain ASGI because it runs for every request.

Gives each request its id and trace, refuses bodies over the limit before anything reads them, turns what nobody
caught into a 500 without internals, counts and logs.
"""

from __future__ import annotations

import functools
import time

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway_common import context, metrics, tracing
from gateway_common.errors import GatewayError, InternalError, PayloadTooLargeError, ValidationError
from gateway_common.logs import get_logger
from gateway_common.web.problems import problem_response

log = get_logger(__name__)

MAX_BODY_BYTES = 64 * 1024
_QUIET_PATHS = {"/livez", "/readyz", "/metrics"}
_METHODS_WITHOUT_BODY = {"GET", "HEAD", "OPTIONS"}


@functools.cache  # few methods, routes and states: what is asked for is no part of it
def _measures(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return metrics.HTTP_REQUESTS.labels(method, route, str(status)), metrics.HTTP_SECONDS.labels(method, route)


class RequestBoundary:
    """`app` is the application inside; `max_body_bytes` is 64 KiB by contract."""

    def __init__(self, app: ASGIApp, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = dict(scope["headers"])
        request_id = context.accept_request_id(headers.get(b"x-request-id", b"").decode("latin-1"))
        context.request_id.set(request_id)
        offered = headers.get(b"traceparent", b"").decode("latin-1")
        traceparent = context.accept_traceparent(offered)
        context.traceparent.set(traceparent)
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            # PostgreSQL's text cannot hold it, so nothing of ours has it in its name.
            if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
                raise ValidationError("The URL must not contain U+0000", reason="invalid_character")
            if scope["method"] not in _METHODS_WITHOUT_BODY:
                receive = await self._read_body(headers, receive)
            await self._app(scope, receive, send_with_id)
        except GatewayError as error:
            await problem_response(error)(scope, receive, send_with_id)
        except Exception:
            log.exception("request.failed", method=scope["method"], path=scope["path"])
            if status == 0:
                await problem_response(InternalError())(scope, receive, send_with_id)
            else:
                raise
        finally:
            seconds = time.perf_counter() - started
            self._record(scope, status, seconds)
            if tracing.is_on() and scope["path"] not in _QUIET_PATHS:
                route = getattr(scope.get("route"), "path", "unknown")
                told: dict[str, str | int] = {"http.response.status_code": status, "gateway.request_id": request_id}
                tracing.record(
                    f"{scope['method']} {route}", "server", seconds=seconds, span=traceparent, parent=offered,
                    attributes=told, is_error=status >= 500 or status == 0,
                )  # fmt: skip

    async def _read_body(self, headers: dict[bytes, bytes], receive: Receive) -> Receive:
        """The whole body, or `PayloadTooLargeError` as soon as it is known to be too large."""
        announced = headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced) > self._max_body_bytes:
            raise PayloadTooLargeError
        parts: list[bytes] = []
        size = 0
        disconnected: Message | None = None
        while True:
            message = await receive()
            if message["type"] != "http.request":
                disconnected = message
                break
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._max_body_bytes:
                raise PayloadTooLargeError
            if not message.get("more_body"):
                break
        first: Message | None = {"type": "http.request", "body": b"".join(parts), "more_body": False}

        async def replay() -> Message:
            nonlocal first
            if disconnected is not None:
                return disconnected
            if first is not None:
                message, first = first, None
                return message
            return await receive()

        return replay

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        path = scope["path"]
        if path in _QUIET_PATHS:
            return
        route = getattr(scope.get("route"), "path", "unknown")
        count, duration = _measures(scope["method"], route, status)
        count.inc()
        duration.observe(seconds)
        if status >= 500 or status == 0:
            log.warning(
                "request.answered", method=scope["method"], path=path, status=status, ms=round(seconds * 1000, 1)
            )
        else:
            log.debug("request.answered", method=scope["method"], path=path, status=status, ms=round(seconds * 1000, 1))
