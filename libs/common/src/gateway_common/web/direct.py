"""A route whose endpoint reads the request itself."""

from __future__ import annotations

import inspect
from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import request_response
from starlette.types import ASGIApp, Receive, Scope, Send


class DirectRoute(APIRoute):
    """FastAPI describes the endpoint, Starlette runs it, where it takes nothing but `request` (`APIRouter(route_class=…)`).

    Reading parameters, solving dependencies and closing what they opened has nothing to do there, and was an eighth of
    what accepting a payment costs the web process.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        takes_only_the_request = list(inspect.signature(self.endpoint).parameters) == ["request"]
        self._run: ASGIApp | None = (
            request_response(self.endpoint) if takes_only_the_request and not self.dependencies else None
        )

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._run is None or scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
        else:
            await self._run(scope, receive, send)
