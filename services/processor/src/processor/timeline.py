"""What this service knows of a payment, as entries of its timeline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gateway_common.clock import to_iso
from processor.domain.operations import Kind
from processor.repository import Known


def entries_of(known: Sequence[Known]) -> list[dict[str, Any]]:
    """Oldest first. Every entry: at, service, type, description, request_id, data."""
    entries = [entry for one in known for entry in _entries(one)]
    return sorted(entries, key=lambda entry: str(entry["at"]))


def _entries(known: Known) -> list[dict[str, Any]]:
    operation = known.operation
    what = "charge" if operation.kind is Kind.CHARGE else "refund"
    subject = {"kind": operation.kind, "reference": operation.reference, "amount": operation.amount}

    def entry(at: datetime, type_: str, description: str, data: dict[str, Any]) -> dict[str, Any]:
        return {
            "at": to_iso(at),
            "service": "processor",
            "type": type_,
            "description": description,
            "request_id": operation.request_id or None,
            "data": {**subject, **data},
        }

    found = [entry(known.asked_at, "bank.asked", f"Bank asked to {what}", {"attempts": known.attempts})]
    if known.gave_up_at is not None:
        found.append(entry(known.gave_up_at, "bank.answer_missed", "The bank's answer did not come in time", {}))
    if known.last_inquired_at is not None:
        found.append(
            entry(
                known.last_inquired_at,
                "bank.inquired",
                f"Bank asked what became of the {what}",
                {"inquiries": known.inquiries},
            )
        )
    if known.answer is not None and known.answered_at is not None:
        answer = known.answer
        found.append(
            entry(
                known.answered_at,
                "bank.answered",
                f"Bank accepted the {what}" if answer.is_success else f"Bank declined the {what}",
                {"outcome": known.outcome, "reason": answer.reason, "bank_reference": answer.acquirer_reference},
            )
        )
    return found
