"""Probe endpoints that are down, and send what they missed once they answer: oldest first, one at a time, slowly."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from gateway_common.clock import Clock
from gateway_common.database import Database
from gateway_common.logs import get_logger
from webhooks import metrics
from webhooks.delivery.engine import LEASE, DeliveryEngine
from webhooks.domain.breaker import Breaker, BreakerState
from webhooks.domain.settlement import AttemptKind
from webhooks.repositories import deliveries, health

log = get_logger(__name__)

EVERY_SECONDS = 1.0
ENDPOINTS_AT_ONCE = 20
_TENDING = timedelta(seconds=30)


class Recovery:
    """`tend` is run by the clock; each endpoint is tended by one process at a time (a lease in its health row)."""

    def __init__(
        self, database: Database, engine: DeliveryEngine, clock: Clock, *, window: timedelta, per_second: float
    ) -> None:
        self._database = database
        self._engine = engine
        self._clock = clock
        self._window = window
        self._pause_seconds = 1 / per_second
        self._tasks: set[asyncio.Task[None]] = set()

    async def tend(self) -> None:
        """Take over endpoints whose probe is due or whose recovery is under way."""
        if (free := ENDPOINTS_AT_ONCE - len(self._tasks)) <= 0:
            return
        now = self._clock.now()
        for endpoint_id in await health.lease_to_tend(self._database, now, now + _TENDING, free):
            task = asyncio.create_task(self._tend_one(endpoint_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _tend_one(self, endpoint_id: str) -> None:
        try:
            breaker = await health.find(self._database, endpoint_id)
            if breaker.state is not BreakerState.RECOVERING:
                if await self._send_oldest(endpoint_id, breaker, AttemptKind.PROBE) is not True:
                    return
                breaker = await health.find(self._database, endpoint_id)
            await self._recover(endpoint_id, breaker)
        except Exception as error:
            # The lease ends and another turn follows; one endpoint's trouble is not the others'.
            log.warning("recovery.failed", endpoint_id=endpoint_id, error=repr(error))
        finally:
            await health.renew_lease(self._database, endpoint_id, None)

    async def _recover(self, endpoint_id: str, breaker: Breaker) -> None:
        while breaker.state is BreakerState.RECOVERING:
            is_success = await self._send_oldest(endpoint_id, breaker, AttemptKind.RECOVERY)
            if is_success is None:
                return
            metrics.RECOVERED.labels("success" if is_success else "failure").inc()
            await asyncio.sleep(self._pause_seconds)
            await health.renew_lease(self._database, endpoint_id, self._clock.now() + _TENDING)
            breaker = await health.find(self._database, endpoint_id)

    async def _send_oldest(self, endpoint_id: str, breaker: Breaker, kind: AttemptKind) -> bool | None:
        """Whether it succeeded; None when nothing is missing any more, which ends the outage."""
        now = self._clock.now()
        claim = await deliveries.claim_missed(
            self._database,
            endpoint_id,
            now,
            now + LEASE,
            breaker.missing_since or now - self._window,
            now - self._window,
        )
        if claim is not None:
            return await self._engine.send_now(claim, kind)
        if not breaker.is_open:
            async with self._database.transaction() as transaction:
                await health.finish_recovery(transaction, endpoint_id)
            log.info("endpoint.recovered", endpoint_id=endpoint_id)
        else:
            # Nothing to probe with yet: whatever falls due next is held, and found by the next probe.
            await health.postpone_probe(self._database, endpoint_id, now + timedelta(seconds=5))
        return None
