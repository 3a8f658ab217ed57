"""What endpoints work with; made once in `bootstrap.py`."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from gateway_common.auth.credentials import Authenticator
from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.database import Database
from gateway_common.idempotency import IdempotencyKeys
from gateway_common.web.rate_limits import RateLimits
from refunds.creation import RefundCreation


@dataclass(frozen=True, slots=True)
class Dependencies:
    database: Database
    authenticator: Authenticator
    tokens: InternalTokens
    keys: IdempotencyKeys
    creation: RefundCreation
    limits: RateLimits


def dependencies_of(request: Request) -> Dependencies:
    found: Dependencies = request.app.state.dependencies
    return found
