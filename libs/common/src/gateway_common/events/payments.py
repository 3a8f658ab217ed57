"""`payment.*` on exchange `payments`, published by payments-api."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from gateway_common.events.parsing import Message


class PaymentSnapshot(Message):
    """The payment as merchants see it (API.md, Payments) at the moment of the event. Fields of the other method are unset.

    Timestamps are texts, so that webhooks carry exactly what the API shows.
    """

    id: str
    order_id: str
    amount: int
    currency: str
    method: Literal["upi", "card"]
    vpa: str | None = None
    card_network: str | None = None
    card_last4: str | None = None
    status: Literal["pending", "success", "failed", "cancelled"]
    captured: bool
    amount_captured: int
    amount_refunded: int
    refund_status: Literal["partial", "full"] | None
    error_code: str | None
    error_description: str | None
    error_reason: str | None = None
    notes: dict[str, Any] | None = None
    created_at: str
    updated_at: str


class PaymentEvent(Message):
    """`payment.created`, `.pending`, `.success`, `.failed`, `.captured`, `.cancelled`.

    Attributes:
        sequence: counts up per payment over all services that emit events about it (a Lamport clock).
        card_token: on `payment.created` of a card payment: the one-time token under which Redis holds the encrypted card.
    """

    merchant_id: UUID
    sequence: int
    occurred_at: datetime
    payment: PaymentSnapshot
    card_token: str | None = None
