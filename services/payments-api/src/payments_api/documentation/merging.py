"""Make one OpenAPI document of the services' own ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payments_api.documentation.answers import Problem
from payments_api.documentation.describing import error

Document = dict[str, Any]

TITLE = "Payment gateway"
DESCRIPTION = """\
Amounts are integers in the currency's smallest unit (paise). Times are ISO 8601 in UTC.

Send `X-Api-Key` and `X-Api-Secret`, or the same pair by HTTP Basic. A merchant's objects do not exist for others: 404.

Every POST takes an `Idempotency-Key`: repeat a request with the same key for 24 hours, and it happens once and answers the same.

Lists are newest first. `starting_after` takes the `next_cursor` of the page before.

Every error has the shape `Problem`: `error.code` is for programs, `detail` for people, `retryable` for repeating it as it is.

Unknown fields are ignored; a wrong type is an error that names the field.
"""
_METHODS = ("get", "post", "put", "patch", "delete")
_OPEN_PATHS = ("/health", "/api/v1/test/")
_SCHEMAS_OF_THE_FRAMEWORK = ("HTTPValidationError", "ValidationError")
TAGS = ("Orders", "Payments", "Checkout", "Refunds", "Webhooks", "Events", "Merchant", "Health")


def merge(parts: Mapping[str, Document]) -> Document:
    """`parts` maps a service to its document. Internal paths are left out; what every operation may answer is added.

    Raises:
        ValueError: two services describe one path, or one schema name in two ways.
    """
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {"Problem": Problem.model_json_schema(ref_template="#/components/schemas/{model}")}
    schemas.update(schemas["Problem"].pop("$defs"))
    tags: set[str] = set()
    for service, part in sorted(parts.items()):
        for path, item in part["paths"].items():
            if path.startswith("/internal/"):
                continue
            if path in paths:
                raise ValueError(f"{service} describes {path}, and so does another service")
            paths[path] = {name: _operation(path, item[name]) for name in _METHODS if name in item}
            tags.update(tag for operation in paths[path].values() for tag in operation.get("tags", []))
        _add_schemas(service, part, schemas)
    known = [tag for tag in TAGS if tag in tags]
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": "1.0.0", "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in [*known, *sorted(tags - set(known))]],
        "security": [{"ApiKey": [], "ApiSecret": []}, {"Basic": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "ApiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
                "ApiSecret": {"type": "apiKey", "in": "header", "name": "X-Api-Secret"},
                "Basic": {"type": "http", "scheme": "basic", "description": "API key and secret"},
            },
        },
    }


def is_open(path: str) -> bool:
    """Whether a path needs no credentials (API.md, Conventions)."""
    return path.startswith(_OPEN_PATHS) or path.endswith("/public")


def _operation(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    responses = {
        status: answer
        for status, answer in operation["responses"].items()
        if "HTTPValidationError" not in str(answer.get("content"))
    }
    # A path with odd characters can be refused, or be another path, before any service sees it.
    for status in (400, 404, 429, 500, 503) if is_open(path) else (400, 401, 404, 429, 500, 503):
        responses.setdefault(str(status), error(status))
    if operation.get("requestBody"):
        responses.setdefault("413", error(413))
    merged = {**operation, "responses": dict(sorted(responses.items()))}
    merged.pop("operationId", None)
    if is_open(path):
        merged["security"] = []
    else:
        merged.pop("security", None)
    return merged


def _add_schemas(service: str, part: Document, schemas: dict[str, Any]) -> None:
    for name, schema in part.get("components", {}).get("schemas", {}).items():
        if name in _SCHEMAS_OF_THE_FRAMEWORK or name in ("Problem", "ErrorDetail"):
            continue
        if schemas.setdefault(name, schema) != schema:
            raise ValueError(f"{service} describes the schema {name} otherwise than another service")
