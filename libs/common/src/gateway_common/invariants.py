"""Rules that must hold in the data at any time, checked on a schedule in production, reading only.

The database's constraints and the code keep them; this is the witness that tells when both were wrong. A violation is
a page for a person (docs/runbooks/invariant-violated.md), never something to be mended by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from prometheus_client import Gauge

from gateway_common.clock import Clock
from gateway_common.database import Database
from gateway_common.logs import get_logger

log = get_logger(__name__)

EVERY_SECONDS = 300.0
# A check that cannot finish in this time is in the way of those who pay; the age of its last success tells.
STATEMENT_TIMEOUT = "5s"

VIOLATIONS = Gauge(
    "gateway_invariant_violations", "Objects that break the rule; 0 is the only good value", ["invariant"]
)
CHECKED = Gauge(
    "gateway_invariant_checked_timestamp_seconds", "When the rule was last checked to the end", ["invariant"]
)


@dataclass(frozen=True, slots=True)
class Invariant:
    """`sql` returns the ids of what breaks the rule, a few are enough; with `older_than` its `$1` is now minus that."""

    name: str
    sql: str
    older_than: timedelta | None = None


def outbox_age(limit: timedelta = timedelta(minutes=5)) -> Invariant:
    """No message waits long for the broker. For every service with an outbox."""
    sql = "SELECT message_id AS id FROM outbox WHERE sent_at IS NULL AND created_at < $1 LIMIT 100"
    return Invariant("outbox_message_waits_long", sql, limit)


class InvariantChecks:
    """`run` checks all rules once; a worker calls it every `EVERY_SECONDS`."""

    def __init__(self, database: Database, invariants: Sequence[Invariant], clock: Clock) -> None:
        self._database = database
        self._invariants = invariants
        self._clock = clock

    async def run(self) -> None:
        for invariant in self._invariants:
            await self._check(invariant)

    async def _check(self, invariant: Invariant) -> None:
        now = self._clock.now()
        arguments = [] if invariant.older_than is None else [now - invariant.older_than]
        async with self._database.connection() as connection, connection.transaction(readonly=True):
            await connection.execute(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'")
            rows = await connection.fetch(invariant.sql, *arguments)
        VIOLATIONS.labels(invariant.name).set(len(rows))
        CHECKED.labels(invariant.name).set(now.timestamp())
        if rows:
            log.error(
                "invariant.violated", invariant=invariant.name, count=len(rows), examples=[r["id"] for r in rows[:5]]
            )
