"""JSON answers as bytes, and answers of idempotent requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway_common.idempotency import Fence, IdempotencyKeys, StoredResponse
from gateway_common.web.problems import MEDIA_TYPE, problem_body

JSON = "application/json"


def json_response(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status_code=status, media_type=JSON)


def stored(content: Any, status: int = 200) -> StoredResponse:
    """A response in the form that an idempotency key keeps."""
    return StoredResponse(status, orjson.dumps(content))


def stored_response(response: StoredResponse) -> Response:
    headers = {"Idempotent-Replayed": "true"} if response.is_replay else None
    media_type = JSON if response.status < 400 else MEDIA_TYPE
    return Response(response.body, status_code=response.status, media_type=media_type, headers=headers)


async def fence_of(request: Request, keys: IdempotencyKeys, merchant_id: UUID) -> Fence | None:
    """What the request's `Idempotency-Key` header stands for; None without one."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    return keys.fence(merchant_id, key, request.method, request.scope["path"], await request.body())


async def answer_once(
    request: Request,
    keys: IdempotencyKeys,
    merchant_id: UUID,
    work: Callable[[Fence | None], Awaitable[StoredResponse]],
) -> Response:
    """Run `work` once per `Idempotency-Key`; it gets the fence to write into its own transaction."""
    fence = await fence_of(request, keys, merchant_id)
    return stored_response(await keys.run(fence, lambda: work(fence), problem_body))
