"""`/docs`, and this service's own part of the OpenAPI document; the merged one is the application's `/openapi.json`."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse, Response

from gateway_common.web.answers import json_response
from payments_api.documentation import page

router = APIRouter(include_in_schema=False)

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "public, max-age=300",
}


@functools.cache
def merged_document() -> dict[str, Any]:
    """Made by `payments_api.documentation.build`; a test compares it with what the services say of themselves."""
    document: dict[str, Any] = orjson.loads((files("payments_api.documentation") / "openapi.json").read_bytes())
    return document


@router.get("/docs")
async def docs(request: Request) -> Response:
    origin = f"{request.url.scheme}://{request.url.netloc}"
    return HTMLResponse(page.render(merged_document(), origin), headers=_HEADERS)


@router.get("/docs/style.css")
async def style() -> Response:
    return Response(page.STYLE, media_type="text/css", headers=_HEADERS)


@router.get("/internal/openapi.json")
async def own_part(request: Request) -> Response:
    app: FastAPI = request.app
    return json_response(FastAPI.openapi(app))
