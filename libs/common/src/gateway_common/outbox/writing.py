"""Write messages into the outbox, in the caller's statement or transaction.

A hot statement adds the rows itself, in a CTE: `INSERT INTO outbox (<COLUMNS>) SELECT …`.
Everything else calls `add`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from gateway_common import context
from gateway_common.database import Connection
from gateway_common.ids import EventId, new_event_id

COLUMNS = "message_id, event_type, merchant_id, payload, request_id, traceparent, created_at"

_INSERT = f"""
INSERT INTO outbox ({COLUMNS})
SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
"""


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """`payload` is the JSON body; the ids of the request at hand are taken along."""

    event_type: str
    merchant_id: UUID
    payload: str
    created_at: datetime
    message_id: EventId = field(default_factory=new_event_id)
    request_id: str = field(default_factory=context.request_id.get)
    traceparent: str = field(default_factory=context.traceparent.get)


async def add(transaction: Connection, messages: list[OutgoingMessage]) -> None:
    """Insert `messages` in the caller's transaction. Nudge the relay (`OutboxNudge.nudge`) once it has committed."""
    if messages:
        await transaction.execute(_INSERT, *as_columns(messages))


def as_columns(messages: list[OutgoingMessage]) -> tuple[list[object], ...]:
    """The messages as arrays, one per column of `COLUMNS`, for `unnest`."""
    return (
        [message.message_id for message in messages],
        [message.event_type for message in messages],
        [message.merchant_id for message in messages],
        [message.payload for message in messages],
        [message.request_id for message in messages],
        [message.traceparent for message in messages],
        [message.created_at for message in messages],
    )
