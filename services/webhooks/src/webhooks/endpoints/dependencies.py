"""What endpoints ask for: who is calling, and the service's parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request

from gateway_common.auth.credentials import Authenticator
from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.idempotency import IdempotencyKeys
from gateway_common.web.rate_limits import RateLimits
from webhooks.service import WebhookService


@dataclass(frozen=True, slots=True)
class Parts:
    """Made once in the lifespan and kept in the application's state."""

    service: WebhookService
    authenticator: Authenticator
    tokens: InternalTokens
    keys: IdempotencyKeys
    limits: RateLimits


def get_parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


WithParts = Annotated[Parts, Depends(get_parts)]


async def get_merchant(
    request: Request,
    parts: WithParts,
    x_api_key: Annotated[str | None, Header(include_in_schema=False)] = None,
    x_api_secret: Annotated[str | None, Header(include_in_schema=False)] = None,
    authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> UUID:
    """Raises `AuthenticationError` and `RateLimitedError`."""
    merchant_id = await parts.authenticator.authenticate(x_api_key, x_api_secret, authorization)
    await parts.limits.count_merchant(request)
    return merchant_id


Merchant = Annotated[UUID, Depends(get_merchant)]
