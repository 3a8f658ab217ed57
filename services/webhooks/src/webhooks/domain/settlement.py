"""What one attempt's answer means for its delivery."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from webhooks.domain.schedule import Schedule, next_attempt_at
from webhooks.domain.states import DeliveryEvent, DeliveryStatus, next_status

GONE = 410
ASKS_FOR_LESS = frozenset({429, 503})


class AttemptKind(StrEnum):
    """`scheduled`: by the retry schedule. `probe`: to see whether a broken endpoint answers. `recovery`: what it missed."""

    SCHEDULED = "scheduled"
    PROBE = "probe"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class Settlement:
    """The delivery after the attempt. `next_retry_at` is None when settled, or held for an endpoint that is down."""

    status: DeliveryStatus
    reason: str | None
    attempts: int
    next_retry_at: datetime | None
    is_exhausted: bool = False
    endpoint_is_gone: bool = False


def settle(
    kind: AttemptKind,
    status: DeliveryStatus,
    attempts: int,
    *,
    is_success: bool,
    response_code: int | None,
    schedule: Schedule,
    ended_at: datetime,
    retry_after: timedelta | None,
) -> Settlement:
    """`status` and `attempts` (made in this round) are those from before the attempt; `retry_after` is capped already."""
    if is_success:
        event = DeliveryEvent.ANSWERED if kind is AttemptKind.SCHEDULED else DeliveryEvent.RECOVERED
        return Settlement(_after(status, event), None, attempts + 1, None)
    if response_code == GONE:
        # The receiver says for good that nobody is there (Standard Webhooks): no attempt of any kind will change that.
        return Settlement(DeliveryStatus.FAILED, "gone", attempts + 1, None, endpoint_is_gone=True)
    if kind is AttemptKind.PROBE:
        return Settlement(status, "held" if status is DeliveryStatus.PENDING else "exhausted", attempts, None)
    if kind is AttemptKind.RECOVERY:
        return Settlement(DeliveryStatus.FAILED, "exhausted_again", attempts + 1, None)
    due = next_attempt_at(schedule, attempts + 1, ended_at, retry_after)
    if due is not None:
        return Settlement(_after(status, DeliveryEvent.REFUSED), None, attempts + 1, due)
    return Settlement(_after(status, DeliveryEvent.EXHAUSTED), "exhausted", attempts + 1, None, is_exhausted=True)


def _after(status: DeliveryStatus, event: DeliveryEvent) -> DeliveryStatus:
    return next_status(status, event) or status
