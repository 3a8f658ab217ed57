"""Entries of the payment timeline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from processor.domain.operations import Answer, Kind, Operation, Outcome
from processor.repository import Known
from processor.timeline import entries_of

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_late_answer_tells_its_whole_story() -> None:
    operation = Operation(Kind.CHARGE, UUID(int=1), "pay_x", "pay_x", 50_000, "INR", "upi", request_id="r-1")
    known = Known(
        operation,
        Outcome.SUCCEEDED,
        Answer(is_success=True, acquirer_reference="bank_charge_000000000001"),
        asked_at=START,
        attempts=2,
        inquiries=1,
        gave_up_at=START + timedelta(seconds=15),
        answered_at=START + timedelta(seconds=21),
        last_inquired_at=START + timedelta(seconds=20),
        result_message_id="evt_x",
    )
    entries = entries_of([known])

    assert [entry["type"] for entry in entries] == [
        "bank.asked",
        "bank.answer_missed",
        "bank.inquired",
        "bank.answered",
    ]
    assert entries[0]["at"] == "2026-01-01T00:00:00.000Z"
    assert entries[0]["data"] == {"kind": "charge", "reference": "pay_x", "amount": 50_000, "attempts": 2}
    assert {entry["request_id"] for entry in entries} == {"r-1"}
    assert entries[3]["data"]["bank_reference"] == "bank_charge_000000000001"
