"""The body of a webhook: rendered once, then signed and sent byte for byte on every attempt (EVENTS.md)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from webhooks.domain.javascript_json import stringify

PAYMENT_EVENTS = (
    "payment.created",
    "payment.pending",
    "payment.success",
    "payment.failed",
    "payment.captured",
    "payment.cancelled",
)
REFUND_EVENTS = ("refund.created", "refund.processed", "refund.failed")
TEST_EVENT = "webhook.test"
EVENT_TYPES = (*PAYMENT_EVENTS, *REFUND_EVENTS, TEST_EVENT)


def render_body(event_type: str, occurred_at: datetime, data: Mapping[str, Any], event_id: str, sequence: int) -> str:
    """`data` holds one object under its kind, such as `{"payment": {…}}`; `timestamp` becomes whole Unix seconds."""
    return stringify(
        {
            "event": event_type,
            "timestamp": int(occurred_at.timestamp()),
            "data": dict(data),
            "id": event_id,
            "sequence": sequence,
        }
    )
