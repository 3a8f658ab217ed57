"""When an attempt is made: the retry schedules, and what `Retry-After` may do to them (EVENTS.md, Delivery)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

ScheduleName = Literal["default", "extended"]

_DEFAULT_SECONDS = (0, 60, 300, 1800, 7200)
_EXTENSION_SECONDS = (21600, 43200, 86400)
_TEST_SECONDS = (0, 5, 10, 15, 20)
_TEST_EXTENSION_SECONDS = (20, 20, 20)


@dataclass(frozen=True, slots=True)
class Schedule:
    """`delays[n - 1]` is the pause in seconds before attempt `n`, counted from the end of the attempt before."""

    delays: tuple[int, ...]

    def delay_after(self, attempt: int) -> int | None:
        """Seconds from failed attempt number `attempt` (from 1) to the next one; None when it was the last."""
        return self.delays[attempt] if attempt < len(self.delays) else None


@dataclass(frozen=True, slots=True)
class Schedules:
    """The schedule of each name; `with_test_intervals` shortens them to seconds."""

    with_test_intervals: bool = False

    def named(self, name: str) -> Schedule:
        base = _TEST_SECONDS if self.with_test_intervals else _DEFAULT_SECONDS
        if name == "default":
            return Schedule(base)
        return Schedule(base + (_TEST_EXTENSION_SECONDS if self.with_test_intervals else _EXTENSION_SECONDS))


def read_retry_after(header: str | None, now: datetime, cap: timedelta) -> timedelta | None:
    """`Retry-After` as a pause, at most `cap`: seconds or an HTTP date (RFC 9110, 10.2.3). None when absent or unreadable."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=min(int(text[:12]), 10**9)), cap)
    try:
        moment = parsedate_to_datetime(text)
        pause = moment - now
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(pause, timedelta(0)), cap)


def next_attempt_at(
    schedule: Schedule, attempt: int, ended_at: datetime, retry_after: timedelta | None
) -> datetime | None:
    """When to try again after failed attempt `attempt`: `Retry-After` may lengthen the schedule's delay, never shorten it."""
    delay = schedule.delay_after(attempt)
    if delay is None:
        return None
    return ended_at + max(timedelta(seconds=delay), retry_after or timedelta(0))
