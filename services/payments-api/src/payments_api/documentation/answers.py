"""Shapes of answers, for the OpenAPI document only: handlers render bytes themselves (rendering.py)."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

_TIME = "2026-01-15T10:31:00.000Z"


def _leave_out_default(schema: JsonDict) -> None:
    """A field that is not always there has no default either."""
    schema.pop("default", None)


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OrderAnswer(Answer):
    id: str = Field(examples=["order_test_123"])
    merchant_id: UUID
    amount: int = Field(examples=[50000])
    amount_paid: int
    currency: str = Field(examples=["INR"])
    receipt: str | None
    notes: dict[str, Any] | None
    status: Literal["created", "paid"]
    multiple_payments: bool
    created_at: str = Field(examples=[_TIME])
    updated_at: str = Field(examples=[_TIME])


class PaymentAnswer(Answer):
    """Only the method's own fields appear: `vpa`, or `card_network` and `card_last4`."""

    id: str = Field(examples=["pay_4f9KzQ2LmW8sT1xA"])
    order_id: str
    amount: int
    currency: str
    method: Literal["upi", "card"]
    vpa: str = Field(default="", json_schema_extra=_leave_out_default, description="UPI only")
    card_network: Literal["visa", "mastercard", "amex", "rupay", "unknown"] = Field(
        default="unknown", json_schema_extra=_leave_out_default, description="Card only"
    )
    card_last4: str = Field(default="", json_schema_extra=_leave_out_default, description="Card only")
    status: Literal["pending", "success", "failed", "cancelled"]
    captured: bool
    amount_captured: int
    amount_refunded: int
    refund_status: Literal["partial", "full"] | None
    error_code: str | None = Field(description="`PAYMENT_FAILED` on a failed payment")
    error_description: str | None
    error_reason: str | None = Field(description="The finer code, such as `insufficient_funds`")
    notes: dict[str, Any] | None
    created_at: str
    updated_at: str


class PublicOrderMerchant(Answer):
    name: str
    allowed_frame_origins: list[str] | None


class PublicOrderAnswer(Answer):
    id: str
    amount: int
    currency: str
    status: Literal["created", "paid"]
    multiple_payments: bool
    merchant: PublicOrderMerchant
    test_mode: bool


class PublicPaymentAnswer(Answer):
    id: str
    order_id: str
    amount: int
    currency: str
    method: Literal["upi", "card"]
    status: Literal["pending", "success", "failed", "cancelled"]
    error_code: str | None
    error_description: str | None
    error_reason: str | None
    signature: str = Field(
        default="",
        json_schema_extra=_leave_out_default,
        description="Hex HMAC-SHA256 over `order_id|payment_id` with the signing key of `key`; on success, with a valid `client_token`",
    )


class NewPublicPaymentAnswer(Answer):
    id: str
    order_id: str
    amount: int
    currency: str
    method: Literal["upi", "card"]
    status: Literal["pending"]
    error_code: str | None
    error_description: str | None
    error_reason: str | None
    client_token: str = Field(description="Bound to this payment, valid for an hour")


class OrderPage(Answer):
    data: list[OrderAnswer]
    has_more: bool
    next_cursor: str | None


class PaymentPage(Answer):
    data: list[PaymentAnswer]
    has_more: bool
    next_cursor: str | None


class TimelineEntry(Answer):
    at: str
    service: str
    type: str = Field(examples=["payment.accepted"])
    description: str
    request_id: str | None
    data: dict[str, Any]


class TimelineAnswer(Answer):
    payment_id: str
    entries: list[TimelineEntry]
    incomplete: list[str] = Field(description="Services that did not answer in time; their entries are missing")


class SummaryTotals(Answer):
    count: int
    success_count: int
    failed_count: int
    pending_count: int
    cancelled_count: int
    amount: int = Field(description="Successful payments, less what a partial capture released")
    amount_refunded: int


class SummaryPoint(Answer):
    at: str
    count: int
    success_count: int
    failed_count: int
    amount: int


class SummaryAnswer(Answer):
    totals: SummaryTotals
    success_rate: float | None = Field(description="success / (success + failed); null before the first verdict")
    series: list[SummaryPoint]


class KeyAnswer(Answer):
    id: UUID
    api_key: str
    created_at: str
    expires_at: str | None


class MerchantAnswer(Answer):
    id: UUID
    name: str
    email: str
    keys: list[KeyAnswer]
    created_at: str


class NewKeyAnswer(KeyAnswer):
    api_secret: str = Field(description="Shown this once")
    checkout_signing_key: str = Field(description="Signs checkout results")


class TestMerchantAnswer(Answer):
    id: UUID
    email: str
    api_key: str
    seeded: Literal[True]


class QueueAnswer(Answer):
    name: str
    ready: int
    consumers: int
    parked: int


class JobsAnswer(Answer):
    pending: int = Field(description="Messages that wait in the broker's work queues, or in the outbox for the broker")
    processing: int = Field(description="Accepted payments that are with the processor")
    completed: int = Field(description="Payments that have their verdict, whichever it is")
    failed: int = Field(description="Messages that could not be worked and were put aside")
    worker_status: Literal["running", "stopped"]
    queues: list[QueueAnswer]


class HealthAnswer(Answer):
    status: Literal["healthy", "unhealthy"]
    database: Literal["connected", "disconnected"]
    redis: Literal["connected", "disconnected"]
    broker: Literal["connected", "disconnected"]
    worker: Literal["running", "stopped"]
    timestamp: str


class ErrorDetail(BaseModel):
    code: str = Field(examples=["BAD_REQUEST_ERROR"])
    description: str
    field: str | None = None
    reason: str | None = None
    retryable: bool


class Problem(BaseModel):
    """RFC 9457, plus `error`."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    error: ErrorDetail
