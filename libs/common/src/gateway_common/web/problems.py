"""Render every error in the one shape of API.md: RFC 9457 members plus `error`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gateway_common import context
from gateway_common.errors import (
    AuthenticationError,
    GatewayError,
    InternalError,
    MethodNotAllowedError,
    NotFoundError,
    PayloadTooLargeError,
    ValidationError,
)

MEDIA_TYPE = "application/problem+json"


def problem_body(error: GatewayError) -> bytes:
    """The JSON body; two calls in one request give the same bytes."""
    inner: dict[str, Any] = {"code": error.code, "description": error.description}
    if error.field is not None:
        inner["field"] = error.field
    if error.reason is not None:
        inner["reason"] = error.reason
    inner["retryable"] = error.retryable
    return orjson.dumps(
        {
            "type": "about:blank",
            "title": HTTPStatus(error.status).phrase,
            "status": error.status,
            "detail": error.description,
            "request_id": context.request_id.get(),
            "error": inner,
        }
    )


def problem_response(error: GatewayError) -> Response:
    headers = dict(error.headers)
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, AuthenticationError) and error.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="gateway", charset="UTF-8"'
    return Response(problem_body(error), status_code=error.status, media_type=MEDIA_TYPE, headers=headers)


def from_validation(errors: list[Any]) -> GatewayError:
    """The first of Pydantic's complaints, as our error that names the field."""
    first = errors[0]
    original = first.get("ctx", {}).get("error")
    location = [str(part) for part in first["loc"] if part not in ("body", "query", "path", "header")]
    field = ".".join(location) or None
    if isinstance(original, GatewayError):
        original.field = original.field or field
        return original
    if first["type"] == "json_invalid":
        return ValidationError("The request body is not valid JSON", reason="invalid_json")
    if first["type"] == "missing":
        text = f"{field} is required" if field else "A JSON request body is required"
        return ValidationError(text, field=field, reason="missing")
    message = first["msg"][0].lower() + first["msg"][1:]
    if message.startswith("value error, "):
        message = message.removeprefix("value error, ")
    elif message.startswith("input should be "):
        message = f"{field or 'body'} must be " + message.removeprefix("input should be ")
    else:
        message = f"{field or 'body'}: {message}"
    return ValidationError(message, field=field, reason=first["type"])


def from_http_exception(error: HTTPException) -> GatewayError:
    if error.status_code == 404:
        return NotFoundError("No such path; see /docs")
    if error.status_code == 405:
        return MethodNotAllowedError(headers=dict(error.headers or {}))
    if error.status_code == 413:
        return PayloadTooLargeError()
    if error.status_code < 500:
        return ValidationError(str(error.detail))
    return InternalError()


def install(app: FastAPI) -> None:
    """Register the handlers; what escapes them is caught by `RequestBoundary`."""

    @app.exception_handler(GatewayError)
    async def on_gateway_error(_request: Request, error: GatewayError) -> Response:
        return problem_response(error)

    @app.exception_handler(RequestValidationError)
    async def on_validation_error(_request: Request, error: RequestValidationError) -> Response:
        return problem_response(from_validation(list(error.errors())))

    @app.exception_handler(HTTPException)
    async def on_http_exception(request: Request, error: HTTPException) -> Response:
        answer = problem_response(from_http_exception(error))
        if error.status_code == 405:
            # The framework names the methods of one route; a path may have several.
            answer.headers["Allow"] = ", ".join(sorted(_methods_of_path(request)))
        return answer


def _methods_of_path(request: Request) -> set[str]:
    """Of the first path that fits, as routing takes it: `/webhooks/test` is not `/webhooks/{id}`."""
    found: str | None = None
    methods: set[str] = set()
    for route in iter_route_contexts(request.app.router.routes):
        pattern = getattr(route, "path_regex", None)
        if pattern is None or not pattern.match(request.scope["path"]):
            continue
        found = found or route.path
        if route.path == found:
            methods |= route.methods or set()
    return methods
