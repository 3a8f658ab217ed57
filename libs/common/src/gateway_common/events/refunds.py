"""`refund.*`: requested by the refunds service, executed or declined by the processor, told to merchants."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from gateway_common.events.parsing import Message


class RefundSnapshot(Message):
    """The refund as merchants see it (API.md, Refunds)."""

    id: str
    payment_id: str
    amount: int
    currency: str
    reason: str | None
    notes: dict[str, Any] | None = None
    status: Literal["pending", "processed", "failed"]
    error_reason: str | None = None
    created_at: str
    processed_at: str | None


class RefundEvent(Message):
    """`refund.created`, `.processed`, `.failed` on exchange `refunds`.

    Attributes:
        sequence: continues the payment's own count (see `PaymentEvent.sequence`).
        amount_refunded: sum of the payment's processed refunds after this event.
        refund_status: whether that is a part or all of what can be refunded of this payment; None when it is nothing.
        refund_version: counts the changes of `amount_refunded` of this payment, so that a late message can be told from a new one.
    """

    merchant_id: UUID
    sequence: int
    occurred_at: datetime
    refund: RefundSnapshot
    amount_refunded: int
    refund_version: int
    refund_status: Literal["partial", "full"] | None = None


class RefundRequested(Message):
    """`refund.requested` on exchange `refunds`: the processor is asked to give money back."""

    merchant_id: UUID
    refund_id: str
    payment_id: str
    amount: int
    currency: str
    requested_at: datetime


class RefundResult(Message):
    """`refund.executed` and `refund.declined` on exchange `processor`. `reason` is None when executed."""

    merchant_id: UUID
    refund_id: str
    payment_id: str
    reason: str | None = None
    description: str | None = None
    asked_at: datetime
    answered_at: datetime
