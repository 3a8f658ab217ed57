"""A refund."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from refunds.domain.states import RefundStatus


@dataclass(frozen=True, slots=True)
class Refund:
    """`amount` in the smallest unit. `is_release`: it began before the payment was captured or cancelled."""

    id: str
    merchant_id: UUID
    payment_id: str
    amount: int
    currency: str
    reason: str | None
    notes: dict[str, Any] | None
    status: RefundStatus
    is_release: bool
    created_at: datetime
    processed_at: datetime | None = None
    failed_at: datetime | None = None
    error_reason: str | None = None
    error_description: str | None = None
    request_id: str = ""
    traceparent: str = ""
    request_message_id: str = ""
