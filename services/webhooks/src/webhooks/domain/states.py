"""The life of a delivery, as a table.

| state | means |
|---|---|
| pending | waits for its next attempt, or is held while its endpoint is down |
| success | a 2xx came back |
| failed | the last attempt of its schedule failed, or the endpoint said 410 |
| skipped | never to be sent: filtered out, or the endpoint was disabled |
| cancelled | stopped while pending: its endpoint was disabled, deleted or lost its URL |
"""

from __future__ import annotations

from enum import StrEnum


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class DeliveryEvent(StrEnum):
    ANSWERED = "answered"  # 2xx
    REFUSED = "refused"  # anything else, more attempts follow
    EXHAUSTED = "exhausted"  # anything else, and it was the last attempt
    STOPPED = "stopped"  # endpoint disabled, deleted, or without URL
    SENT_AGAIN = "sent_again"  # a person or a replay wants it sent again
    RECOVERED = "recovered"  # the endpoint answers again and got what it had missed


_S, _E = DeliveryStatus, DeliveryEvent

TRANSITIONS: dict[tuple[DeliveryStatus, DeliveryEvent], DeliveryStatus] = {
    (_S.PENDING, _E.ANSWERED): _S.SUCCESS,
    (_S.PENDING, _E.REFUSED): _S.PENDING,
    (_S.PENDING, _E.EXHAUSTED): _S.FAILED,
    (_S.PENDING, _E.STOPPED): _S.CANCELLED,
    (_S.PENDING, _E.SENT_AGAIN): _S.PENDING,
    (_S.PENDING, _E.RECOVERED): _S.SUCCESS,
    (_S.FAILED, _E.RECOVERED): _S.SUCCESS,
    (_S.SUCCESS, _E.SENT_AGAIN): _S.PENDING,
    (_S.FAILED, _E.SENT_AGAIN): _S.PENDING,
    (_S.SKIPPED, _E.SENT_AGAIN): _S.PENDING,
    (_S.CANCELLED, _E.SENT_AGAIN): _S.PENDING,
}


def next_status(status: DeliveryStatus, event: DeliveryEvent) -> DeliveryStatus | None:
    """The state after `event`; None when it changes nothing (a late or repeated word about something settled)."""
    return TRANSITIONS.get((status, event))
