"""Payments that wait longer for their verdict than expected are sent to the processor again.

The same message goes out (same id, same body, same time), so whoever has worked it already does nothing, and no second
charge can come of it. Pauses double. Past the bound on its age a payment is for a person: it is counted and logged, not
failed here, because only the bank knows whether it has the money (docs/decisions/0013).
"""

from __future__ import annotations

from datetime import timedelta

from prometheus_client import Counter, Gauge

from gateway_common.clock import Clock
from gateway_common.database import Database
from gateway_common.logs import get_logger
from gateway_common.outbox.nudge import OutboxNudge
from payments_api.repositories import overdue

log = get_logger(__name__)

SWEEP_SECONDS = 5.0
BATCH_SIZE = 500

OLDEST_PENDING_SECONDS = Gauge(
    "payments_pending_oldest_seconds", "Age of the oldest payment without a verdict; 0 when there is none"
)
PENDING_OVER_AGE = Gauge("payments_pending_over_age", "Payments without a verdict that are older than the bound")
REDRIVEN = Counter("payments_redriven_total", "Pending payments that were sent to the processor again")


class PendingSweeper:
    """`sweep` now and then; copies of the service may do so at the same time."""

    def __init__(
        self,
        database: Database,
        nudge: OutboxNudge,
        clock: Clock,
        *,
        expected_seconds: float,
        max_age_seconds: float,
    ) -> None:
        self._database = database
        self._nudge = nudge
        self._clock = clock
        self._expected = timedelta(seconds=expected_seconds)
        self._max_age = timedelta(seconds=max_age_seconds)

    async def sweep(self) -> None:
        now = self._clock.now()
        ages = await overdue.measure(self._database, now - self._max_age)
        OLDEST_PENDING_SECONDS.set(0 if ages.oldest is None else max(0.0, (now - ages.oldest).total_seconds()))
        PENDING_OVER_AGE.set(ages.over_age)
        if ages.over_age:
            log.error("payments.verdict_overdue", count=ages.over_age, oldest=str(ages.oldest))
        if ages.oldest is None or ages.oldest > now - self._expected:
            return
        count = await overdue.send_again(self._database, now, self._expected, BATCH_SIZE)
        if count:
            REDRIVEN.inc(count)
            self._nudge.nudge()
            log.warning("payments.redriven", count=count)
