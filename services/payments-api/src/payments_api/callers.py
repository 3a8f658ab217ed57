"""Who calls, and how often they may: the first thing every endpoint asks."""

from __future__ import annotations

from uuid import UUID

from starlette.requests import Request

from payments_api.dependencies import Dependencies


async def merchant_of(request: Request, using: Dependencies) -> UUID:
    """The merchant whose credentials the request carries.

    Raises:
        AuthenticationError: missing, wrong or deactivated.
        RateLimitedError: the key has used up its limit.
    """
    headers = request.headers
    api_key, authorization = headers.get("x-api-key"), headers.get("authorization")
    merchant_id = await using.authenticator.authenticate(api_key, headers.get("x-api-secret"), authorization)
    await using.limits.count_merchant(request)
    return merchant_id


async def shopper(request: Request, using: Dependencies) -> None:
    """Anyone; limited by network address, which the edge tells (uvicorn trusts it from `FORWARDED_ALLOW_IPS` only).

    Raises:
        RateLimitedError: the address has used up its limit.
    """
    await using.limits.count_shopper(request)
