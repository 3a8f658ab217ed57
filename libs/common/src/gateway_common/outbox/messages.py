"""From a row of the outbox to a message for the broker."""

from __future__ import annotations

from gateway_common.broker.batches import Outgoing
from gateway_common.database import Row

MESSAGE_COLUMNS = "id, created_at, message_id, event_type, payload, request_id, traceparent"


def as_outgoing(row: Row) -> Outgoing:
    """`row` has the columns of `MESSAGE_COLUMNS`."""
    headers: dict[str, str | int] = {}
    if row["request_id"]:
        headers["x-request-id"] = row["request_id"]
    if row["traceparent"]:
        headers["traceparent"] = row["traceparent"]
    return Outgoing(row["event_type"], row["payload"].encode(), row["message_id"], row["created_at"], headers)
