"""What this service knows of a payment, as entries of its timeline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gateway_common.clock import to_iso
from refunds.domain.refunds import Refund


def entries_of(refunds: Sequence[Refund]) -> list[dict[str, Any]]:
    """Oldest first. Every entry: at, service, type, description, request_id, data."""
    entries = [entry for refund in refunds for entry in _entries(refund)]
    return sorted(entries, key=lambda entry: str(entry["at"]))


def _entries(refund: Refund) -> list[dict[str, Any]]:
    found = [_entry(refund, refund.created_at, "refund.created", "Refund accepted", {})]
    if refund.processed_at is not None:
        found.append(_entry(refund, refund.processed_at, "refund.processed", "Refund processed", {}))
    if refund.failed_at is not None:
        found.append(
            _entry(refund, refund.failed_at, "refund.failed", "Refund failed", {"reason": refund.error_reason})
        )
    return found


def _entry(refund: Refund, at: datetime, type_: str, description: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": to_iso(at),
        "service": "refunds",
        "type": type_,
        "description": description,
        "request_id": refund.request_id or None,
        "data": {"refund_id": refund.id, "amount": refund.amount, "currency": refund.currency, **data},
    }
