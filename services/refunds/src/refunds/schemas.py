"""What requests may carry, and what answers look like in the OpenAPI document."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from gateway_common import notes
from gateway_common.clock import from_iso
from gateway_common.errors import ValidationError
from gateway_common.money import MAX_AMOUNT
from refunds.domain.balance import Settlement


def _amount(value: object) -> int | None:
    if value is None:
        return None
    if type(value) is not int or value < 1:
        raise ValidationError("amount must be an integer of at least 1", field="amount", reason="amount_too_small")
    if value > MAX_AMOUNT:
        raise ValidationError(f"amount must be at most {MAX_AMOUNT}", field="amount", reason="amount_too_large")
    return value


def _notes(value: dict[str, Any] | None) -> dict[str, Any] | None:
    notes.as_text(value)
    return value


class NewRefund(BaseModel):
    """`POST /payments/{id}/refunds`. Strict: `true`, `"100"` and `100.0` are no amounts."""

    model_config = ConfigDict(
        strict=True,
        extra="ignore",
        hide_input_in_errors=True,
        json_schema_extra={"examples": [{"amount": 25000, "reason": "Customer request"}]},
    )

    amount: Annotated[int | None, BeforeValidator(_amount)] = Field(
        default=None,
        description="In the currency's smallest unit (paise); without it all that is left",
        json_schema_extra={"anyOf": [{"type": "integer", "minimum": 1, "maximum": MAX_AMOUNT}, {"type": "null"}]},
    )
    reason: str | None = Field(default=None, max_length=255)
    notes: Annotated[dict[str, Any] | None, AfterValidator(_notes)] = Field(
        default=None,
        description="Your own data, given back in every answer and event: "
        "up to 50 keys of 1 to 64 characters, nested up to 5 levels, 16 KiB",
    )


class RefundAnswer(BaseModel):
    """Every answer about a refund."""

    id: str = Field(examples=["rfnd_9aK2mPq7XcVb1LzT"])
    payment_id: str = Field(examples=["pay_H8sK3jD9s2L1pQ4w"])
    amount: int = Field(examples=[25000])
    currency: str = Field(examples=["INR"])
    reason: str | None = Field(examples=["Customer request"])
    notes: dict[str, Any] | None
    status: Literal["pending", "processed", "failed"]
    error_reason: str | None = Field(description="Why the bank declined it", examples=[None])
    error_description: str | None = Field(examples=[None])
    created_at: datetime
    processed_at: datetime | None


class RefundPage(BaseModel):
    data: list[RefundAnswer]
    has_more: bool
    next_cursor: str | None


class SettlementRequest(BaseModel):
    """`POST /internal/v1/payments/{id}/settlement`: the payment as payments-api knows it, and what it wants to do."""

    model_config = ConfigDict(extra="ignore")

    merchant_id: UUID
    sequence: int
    amount: int = Field(gt=0)
    currency: str
    kind: Settlement
    capture_amount: int | None = Field(default=None, gt=0)


def _moment(value: object) -> datetime:
    text = str(value)
    try:
        if re.fullmatch(r"-?\d{1,11}", text):
            return datetime.fromtimestamp(int(text), UTC)
        # The `+` of an offset arrives as a space when it was not percent-encoded.
        return from_iso(re.sub(r" (\d\d:?\d\d)\Z", r"+\1", text) if "T" in text else text)
    except (ValueError, OverflowError, OSError) as error:
        raise ValidationError("a time must be ISO 8601 or Unix seconds", reason="invalid_time") from error


Moment = Annotated[datetime, BeforeValidator(_moment, json_schema_input_type=str)]
