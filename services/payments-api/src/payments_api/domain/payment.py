"""A payment and an order as they are stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from payments_api.domain.states import State, state_of

Method = Literal["upi", "card"]
CaptureMode = Literal["manual", "automatic"]


@dataclass(frozen=True, slots=True)
class Order:
    """`notes` is JSON text as it was given; `is_ad_hoc` when a payment brought its own reference (API.md, Payments)."""

    merchant_id: UUID
    id: str
    amount: int
    currency: str
    receipt: str | None
    notes: str | None
    multiple_payments: bool
    is_ad_hoc: bool
    status: str
    amount_paid: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Payment:
    """One attempt to pay an order. Amounts are in the currency's smallest unit, `notes` is JSON text."""

    merchant_id: UUID
    id: str
    order_id: str
    amount: int
    currency: str
    method: Method
    vpa: str | None
    card_network: str | None
    card_last4: str | None
    capture_mode: CaptureMode
    notes: str | None
    created_at: datetime
    updated_at: datetime
    status: str = "pending"
    captured: bool = False
    amount_captured: int = 0
    amount_refunded: int = 0
    error_code: str | None = None
    error_description: str | None = None
    error_reason: str | None = None
    # The events `payment.created` and `payment.pending` took 1 and 2.
    sequence: int = 2
    # What all refunds of a captured payment may reach together; None before a capture, and after one of everything.
    refund_limit: int | None = None

    @property
    def state(self) -> State:
        return state_of(self.status, captured=self.captured)

    @property
    def refund_status(self) -> Literal["partial", "full"] | None:
        if self.amount_refunded == 0:
            return None
        limit = self.amount if self.refund_limit is None else self.refund_limit
        return "full" if self.amount_refunded >= limit else "partial"
