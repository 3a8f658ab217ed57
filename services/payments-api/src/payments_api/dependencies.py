"""What use cases and endpoints work with; made once in `bootstrap.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import httpx
from starlette.requests import Request

from gateway_common.auth.credentials import Authenticator
from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.cache import Redis
from gateway_common.cards import CardVault
from gateway_common.clock import Clock
from gateway_common.database import Database
from gateway_common.idempotency import IdempotencyKeys
from gateway_common.outbox.nudge import OutboxNudge
from gateway_common.web.rate_limits import RateLimits
from payments_api.client_tokens import ClientTokens
from payments_api.job_status import JobStatus
from payments_api.settings import Settings
from payments_api.settlements import Settlements
from payments_api.verdict_watch import VerdictWatch


@dataclass(frozen=True, slots=True)
class Dependencies:
    settings: Settings
    clock: Clock
    database: Database
    redis: Redis
    nudge: OutboxNudge
    keys: IdempotencyKeys
    authenticator: Authenticator
    tokens: InternalTokens
    vault: CardVault
    client_tokens: ClientTokens
    limits: RateLimits
    watch: VerdictWatch
    jobs: JobStatus
    http: httpx.AsyncClient
    settlements: Settlements

    def now(self) -> datetime:
        """Whole milliseconds: what is stored is exactly what is shown."""
        now = self.clock.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)


def dependencies_of(request: Request) -> Dependencies:
    found: Dependencies = request.app.state.dependencies
    return found
