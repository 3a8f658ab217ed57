"""The breaker of one endpoint, and what it missed while it was down.

```
            many failures, for long                       probe fails: longer pause
   CLOSED ────────────────────────────► OPEN ───────────────────────────┐
     ▲  ▲                                │ ▲────────────────────────────┘
     │  └── nothing missed               │ an attempt succeeds
     └────── RECOVERING ◄────────────────┘
             what was missed is sent, oldest first; stumbling opens it again
```
While OPEN nothing is sent but one probe at a time; what falls due is held. An endpoint that is CLOSED but let whole
schedules run out with no success in between is probed too (`is_missing`), while its ordinary attempts go on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

# A round's first attempt follows its start by moments; by more only when the endpoint's own slots were all taken.
_FIRST_ATTEMPT_WITHIN = timedelta(seconds=10)


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    RECOVERING = "recovering"


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """Set by the operator; see `settings.py` for the defaults and why."""

    failures: int
    failing_for: timedelta
    first_probe_after: timedelta
    longest_probe_pause: timedelta
    stumbles: int = 3


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of an endpoint's health. All times are UTC.

    Attributes:
        failing_since: the first failure after the last success; None while it answers.
        is_missing: there are deliveries it missed in an outage and has not been sent yet.
        missing_since: what was exhausted from here on belongs to the outage.
    """

    state: BreakerState = BreakerState.CLOSED
    consecutive_failures: int = 0
    failing_since: datetime | None = None
    is_missing: bool = False
    missing_since: datetime | None = None
    next_probe_at: datetime | None = None
    probe_failures: int = 0
    stumbles: int = 0

    @property
    def is_open(self) -> bool:
        return self.state is BreakerState.OPEN

    @property
    def is_clean(self) -> bool:
        """A success would change nothing."""
        return self == _CLEAN

    def after_success(self) -> Breaker:
        """An ordinary attempt or a probe was answered with 2xx."""
        if self.is_missing or self.state is BreakerState.RECOVERING:
            return replace(
                self,
                state=BreakerState.RECOVERING,
                consecutive_failures=0,
                failing_since=None,
                next_probe_at=None,
                probe_failures=0,
                stumbles=0,
            )
        return _CLEAN

    def after_failure(self, started_at: datetime, now: datetime, rules: BreakerRules) -> Breaker:
        """An ordinary attempt, made at `started_at`, failed. Opens after many failures in a row that also lasted long."""
        failed = replace(
            self,
            consecutive_failures=self.consecutive_failures + 1,
            failing_since=self.failing_since or started_at,
        )
        has_lasted = failed.failing_since is not None and now - failed.failing_since >= rules.failing_for
        if failed.state is BreakerState.CLOSED and failed.consecutive_failures >= rules.failures and has_lasted:
            return failed._missing(now, rules, BreakerState.OPEN)
        return failed

    def after_exhaustion(self, round_started_at: datetime, now: datetime, rules: BreakerRules) -> Breaker:
        """A delivery ran out of attempts. It was missed in an outage if the endpoint answered nothing since its first one."""
        if self.state is not BreakerState.CLOSED or self.is_missing:
            return self
        if self.failing_since is None or self.failing_since > round_started_at + _FIRST_ATTEMPT_WITHIN:
            return self
        return self._missing(now, rules, BreakerState.CLOSED)

    def after_failed_probe(self, now: datetime, rules: BreakerRules) -> Breaker:
        """Pauses double up to the longest."""
        failures = self.probe_failures + 1
        pause = min(rules.first_probe_after * 2 ** min(failures, 16), rules.longest_probe_pause)
        return replace(self, probe_failures=failures, next_probe_at=now + pause)

    def after_stumble(self, now: datetime, rules: BreakerRules) -> Breaker:
        """A missed delivery failed again during recovery; several in a row mean that the endpoint is down again."""
        if self.stumbles + 1 < rules.stumbles:
            return replace(self, stumbles=self.stumbles + 1)
        return replace(
            self,
            state=BreakerState.OPEN,
            stumbles=0,
            failing_since=self.failing_since or now,
            next_probe_at=now + rules.first_probe_after,
            probe_failures=0,
        )

    def after_recovery(self) -> Breaker:
        """Everything it missed has been sent."""
        return _CLEAN

    def after_new_url(self, now: datetime) -> Breaker:
        """The merchant moved the endpoint: what is held goes to the new URL, what failed belongs to the old one."""
        if self.is_clean:
            return self
        return replace(_CLEAN, state=BreakerState.RECOVERING, is_missing=True, missing_since=now)

    def _missing(self, now: datetime, rules: BreakerRules, state: BreakerState) -> Breaker:
        return replace(
            self,
            state=state,
            is_missing=True,
            missing_since=self.missing_since or self.failing_since or now,
            next_probe_at=now + rules.first_probe_after,
            probe_failures=0,
        )


_CLEAN = Breaker()
