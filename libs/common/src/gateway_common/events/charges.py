"""`charge.succeeded` and `charge.failed` on exchange `processor`, published by the processor."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway_common.events.parsing import Message


class ChargeResult(Message):
    """What the bank finally said; there is no result while the outcome is unknown.

    Attributes:
        reason: the fine decline code (`insufficient_funds`, `bank_timeout`, `card_data_expired`, …); None on success.
        description: readable, for `error_description`; None on success.
        bank_reference: the bank's own number for the charge; None when it never made one.
    """

    merchant_id: UUID
    payment_id: str
    amount: int
    currency: str
    reason: str | None = None
    description: str | None = None
    bank_reference: str | None = None
    asked_at: datetime
    answered_at: datetime
