"""Delivery ids: a UUID of version 7: the event's time, its number in its payment, and a hash of (event, endpoint).

So ids sort as the events happened, also those of one payment that were emitted together. One event and one endpoint
always give one id, so planning twice cannot make two rows; and the id tells in which day's partition its row lies. The
event id it hashes is unguessable, and so is the delivery id.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def delivery_id(created_at: datetime, sequence: int, event_id: str, endpoint_id: str) -> UUID:
    """`created_at` is the event's time in whole milliseconds, `sequence` its number (RFC 9562 allows a counter there)."""
    milliseconds = (created_at - _EPOCH) // _MILLISECOND
    digest = int.from_bytes(hashlib.sha256(f"{event_id}/{endpoint_id}".encode()).digest()[:8], "big")
    counter = min(sequence, 2**12 - 1)
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (counter << 64) | (0b10 << 62) | (digest & (2**62 - 1)))


def created_at_of(identifier: UUID) -> datetime:
    """The time inside a delivery id."""
    return _EPOCH + (identifier.int >> 80) * _MILLISECOND


def whole_milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
