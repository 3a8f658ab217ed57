"""Read a JSON request body into a strict model, for handlers that take the request as it is.

FastAPI's own body handling costs several times as much, and would have to be told all of this too.
"""

from __future__ import annotations

from typing import Any, TypeVar

import orjson
import pydantic
from starlette.requests import Request

from gateway_common.errors import ValidationError
from gateway_common.web.application import MAX_JSON_DEPTH
from gateway_common.web.problems import from_validation

M = TypeVar("M", bound=pydantic.BaseModel)


async def read_body(request: Request, model: type[M], *, may_be_empty: bool = False) -> M:
    """Unknown fields are ignored.

    Raises:
        ValidationError: not JSON, no object, nested too deep, U+0000 in a text, or not what the model asks for.
    """
    body = await request.body()
    if not body.strip() and may_be_empty:
        body = b"{}"
    if not body.strip():
        raise ValidationError("A JSON request body is required", reason="missing")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ValidationError("The request body is not valid JSON", reason="invalid_json") from error
    if not isinstance(value, dict):
        raise ValidationError("The request body must be a JSON object", reason="invalid_json")
    # Both walks are rare: only a body that could break a rule is looked through.
    if body.count(b"{") + body.count(b"[") > MAX_JSON_DEPTH or b"\\u0000" in body:
        _refuse_oddities(value)
    try:
        return model.model_validate(value)
    except pydantic.ValidationError as error:
        raise from_validation(error.errors(include_url=False)) from error


def _refuse_oddities(body: dict[str, Any]) -> None:
    stack: list[tuple[Any, int, str]] = [(body, 1, "")]
    while stack:
        value, depth, field = stack.pop()
        if depth > MAX_JSON_DEPTH + 1:
            raise ValidationError(
                f"The request body is nested deeper than {MAX_JSON_DEPTH} levels",
                field=field or None,
                reason="too_deep",
            )
        if isinstance(value, str) and "\x00" in value:
            raise ValidationError(f"{field} must not contain U+0000", field=field or None, reason="invalid_character")
        if isinstance(value, dict):
            for key, member in value.items():
                stack.append((key, depth + 1, field or key.replace("\x00", "")))
                stack.append((member, depth + 1, field or key.replace("\x00", "")))
        elif isinstance(value, list):
            stack.extend((member, depth + 1, field) for member in value)
