"""Words for the OpenAPI document: the errors of an endpoint, request bodies, the idempotency header."""

from __future__ import annotations

from typing import Any

_PROBLEM_MEDIA_TYPE = "application/problem+json"

_MEANINGS = {
    400: "Malformed, or not possible in the object's state",
    401: "Missing, wrong or deactivated credentials",
    404: "No such object",
    409: "In progress: the order's payment, or the first request with this Idempotency-Key",
    413: "The body is larger than 64 KiB",
    422: "The Idempotency-Key was used with another request",
    429: "Too many requests; see `Retry-After` and `RateLimit-*`",
    500: "Something went wrong on our side",
    503: "A dependency is down; try again after `Retry-After`",
}
_WITH_RETRY_AFTER = {429, 503}

_IDEMPOTENCY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes a repeat harmless for 24 hours: it answers as the first request did, with `Idempotent-Replayed: true`",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x20-\\x7e]+$"},
}

Responses = dict[int | str, dict[str, Any]]


def errors(*statuses: int) -> Responses:
    """`responses=` of a route: the given statuses, and those that every route may answer."""
    return {status: error(status) for status in sorted({*statuses, 500, 503})}


def error(status: int) -> dict[str, Any]:
    """One error answer in the one shape."""
    headers: dict[str, Any] = {}
    if status in _WITH_RETRY_AFTER:
        headers["Retry-After"] = {"schema": {"type": "integer"}, "description": "Seconds"}
    return {
        "description": _MEANINGS[status],
        "headers": headers,
        "content": {_PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def body(schema: dict[str, Any], examples: dict[str, Any], *, is_required: bool = True) -> dict[str, Any]:
    """`openapi_extra=` of a route that reads its body itself. `examples` maps a summary to a body that works verbatim."""
    content = {
        "schema": schema,
        "examples": {summary: {"summary": summary, "value": value} for summary, value in examples.items()},
    }
    return {"requestBody": {"required": is_required, "content": {"application/json": content}}}


def idempotent(extra: dict[str, Any] | None = None) -> dict[str, Any]:
    """`openapi_extra=` of a route that takes an `Idempotency-Key`."""
    return {**(extra or {}), "parameters": [_IDEMPOTENCY_HEADER]}
