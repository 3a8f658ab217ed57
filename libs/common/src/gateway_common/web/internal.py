"""The door of `/internal/v1`: for our other services only, and shut before anything of a request is read."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from gateway_common.auth.internal_tokens import InternalTokens


def internal_router(tokens_of: Callable[[Request], InternalTokens]) -> APIRouter:
    """Every route of it answers 401 to whoever has no token made for this service, whatever else is wrong with the request.

    `tokens_of` finds the service's tokens when a request comes.
    """

    class GuardedRoute(APIRoute):
        async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope)
            tokens_of(request).verify(request.headers.get("authorization"))
            await super().handle(scope, receive, send)

    return APIRouter(prefix="/internal/v1", include_in_schema=False, route_class=GuardedRoute)
