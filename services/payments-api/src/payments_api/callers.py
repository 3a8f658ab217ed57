"""Who calls, and how often they may: the first thing every endpoint asks."""

from __future__ import annotations

import base64
import binascii
from uuid import UUID

from starlette.requests import Request

from gateway_common.auth.internal_tokens import InternalCaller
from payments_api.dependencies import Dependencies
from payments_api.middleware import RATE_LIMIT_HEADERS


async def merchant_of(request: Request, using: Dependencies) -> UUID:
    """The merchant whose credentials the request carries.

    Raises:
        AuthenticationError: missing, wrong or deactivated.
        RateLimitedError: the key has used up its limit.
    """
    headers = request.headers
    api_key, authorization = headers.get("x-api-key"), headers.get("authorization")
    merchant_id = await using.authenticator.authenticate(api_key, headers.get("x-api-secret"), authorization)
    if using.limits.per_key is not None:
        caller = api_key or _basic_user(authorization or "")
        if caller is not None:
            request.scope[RATE_LIMIT_HEADERS] = await using.limits.per_key.spend(caller)
    return merchant_id


async def shopper(request: Request, using: Dependencies) -> None:
    """Anyone; limited by network address, which the edge tells (uvicorn trusts it from `FORWARDED_ALLOW_IPS` only).

    Raises:
        RateLimitedError: the address has used up its limit.
    """
    if using.limits.per_address is not None:
        address = "unknown" if request.client is None else request.client.host
        request.scope[RATE_LIMIT_HEADERS] = await using.limits.per_address.spend(address)


def service_of(request: Request, using: Dependencies) -> InternalCaller:
    """Another service of ours. Raises `AuthenticationError`."""
    return using.tokens.verify(request.headers.get("authorization"))


def _basic_user(authorization: str) -> str | None:
    """The key of an authenticated HTTP Basic pair; None for a service's token, which is not limited."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return None
