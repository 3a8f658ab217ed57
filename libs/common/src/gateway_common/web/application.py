"""Make a service's FastAPI application, and run it."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import orjson
import uvicorn
from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute
from fastapi.telemetry import TelemetryConfig
from starlette.responses import Response

from gateway_common import tracing
from gateway_common.errors import ValidationError
from gateway_common.logs import configure_logs
from gateway_common.settings import ServiceSettings
from gateway_common.web import health, problems
from gateway_common.web.boundary import RequestBoundary

MAX_JSON_DEPTH = 32
# Traces and metrics of requests are made in `boundary`; FastAPI's own would look for providers at every request.
_NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class _StrictJsonRequest(Request):
    """Reads JSON with orjson (no NaN, no lone surrogates) and refuses deep nesting."""

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            value = orjson.loads(await self.body())
            if _depth(value) > MAX_JSON_DEPTH:
                raise ValidationError(
                    f"The request body is nested deeper than {MAX_JSON_DEPTH} levels", reason="too_deep"
                )
            self._json = value
        return self._json


class GatewayRoute(APIRoute):
    """Routes of the public API use this (`APIRouter(route_class=GatewayRoute)`)."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            response: Response = await handle(_StrictJsonRequest(request.scope, request.receive))
            return response

        return handle_strictly


def create_app(
    *,
    service: str,
    readiness: health.Readiness,
    lifespan: Lifespan | None = None,
    routers: list[APIRouter] | None = None,
    max_body_bytes: int | None = None,
) -> FastAPI:
    """An application with the one error shape, request ids, `/livez`, `/readyz` and `/metrics`.

    No interactive docs of its own: payments-api serves one page for all services. `GET /openapi.json` on the
    service's own port gives its part of the document.
    """
    app = FastAPI(
        title=service, lifespan=lifespan, docs_url=None, redoc_url=None, redirect_slashes=False, telemetry=_NO_TELEMETRY
    )
    problems.install(app)
    health.install(app, readiness)
    for router in routers or []:
        app.include_router(router)
    if max_body_bytes is None:
        app.add_middleware(RequestBoundary)
    else:
        app.add_middleware(RequestBoundary, max_body_bytes=max_body_bytes)
    return app


def serve(app: FastAPI, settings: ServiceSettings, service: str) -> None:
    """Run until SIGTERM or SIGINT: stop accepting, finish what is in flight, end the lifespan (which drains consumers)."""
    configure_logs(service, settings.log_level, settings.log_format)
    tracing.install(service, settings.otel_exporter_otlp_endpoint)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=int(settings.drain_timeout_seconds),
        timeout_keep_alive=75,
        h11_max_incomplete_event_size=32 * 1024,
    )
    # uvicorn raises the signal again when it is done; by default that would end the process before the last traces are sent.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # What was imported stays; the collector need not walk it again and again while requests wait.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    try:
        uvicorn.Server(config).run()
    finally:
        tracing.stop()


def _depth(value: Any) -> int:
    deepest = 0
    stack = [(value, 1)]
    while stack:
        current, level = stack.pop()
        if isinstance(current, dict):
            children: Any = current.values()
        elif isinstance(current, list):
            children = current
        else:
            continue
        deepest = max(deepest, level)
        stack.extend((child, level + 1) for child in children)
    return deepest
