"""What requests may carry (API.md). Strict: `true`, `"100"` and `100.0` are no amounts."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gateway_common.errors import InvalidVpaError, ValidationError
from gateway_common.money import MAX_AMOUNT
from payments_api.domain.currencies import CURRENCIES

SMALLEST_AMOUNT = 100
DEFAULT_CURRENCY = "INR"

_VPA = re.compile(r"[a-zA-Z0-9._-]+@[a-zA-Z0-9]+\Z")
_VPA_MAX_LENGTH = 255
_REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")

EXAMPLE_CARD = {
    "number": "4242424242424242",
    "expiry_month": 12,
    "expiry_year": 2034,
    "cvv": "123",
    "holder_name": "Asha Rao",
}


def is_order_reference(text: str) -> bool:
    """Whether `text` can be an order's id: ours, or a merchant's own reference."""
    return _REFERENCE.match(text) is not None


def _amount(value: object) -> int:
    if type(value) is not int or value < SMALLEST_AMOUNT:
        raise ValidationError(f"amount must be at least {SMALLEST_AMOUNT}", field="amount", reason="amount_too_small")
    if value > MAX_AMOUNT:
        raise ValidationError(f"amount must be at most {MAX_AMOUNT}", field="amount", reason="amount_too_large")
    return value


def _amount_or_none(value: object) -> int | None:
    return None if value is None else _amount(value)


def _capture_amount(value: object) -> int | None:
    if value is None:
        return None
    if type(value) is not int or value < 1:
        raise ValidationError("amount must be at least 1", field="amount", reason="amount_too_small")
    return value


def _currency(value: object) -> str:
    if not isinstance(value, str) or value not in CURRENCIES:
        raise ValidationError(
            "currency must be an ISO 4217 code such as INR", field="currency", reason="invalid_currency"
        )
    return value


def _currency_or_none(value: object) -> str | None:
    return None if value is None else _currency(value)


def _currency_or_default(value: object) -> str:
    return DEFAULT_CURRENCY if value is None else _currency(value)


def _capture_mode(value: object) -> str:
    if value is None:
        return "manual"
    if value not in ("manual", "automatic"):
        raise ValidationError("capture must be 'manual' or 'automatic'", field="capture", reason="invalid_capture")
    return str(value)


def check_vpa(value: object) -> str:
    """Raises `InvalidVpaError` unless it reads `name@bank`."""
    if not isinstance(value, str) or len(value) > _VPA_MAX_LENGTH or not _VPA.match(value):
        raise InvalidVpaError(field="vpa", reason="invalid_vpa")
    return value


class Input(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)


class NewOrder(Input):
    """`POST /orders`"""

    # Absent is too small.
    amount: Annotated[int, BeforeValidator(_amount)] = Field(default=0, validate_default=True)
    currency: Annotated[str, BeforeValidator(_currency_or_default)] = DEFAULT_CURRENCY
    receipt: str | None = Field(default=None, max_length=255)
    notes: dict[str, Any] | None = None
    multiple_payments: bool = False


class NewPayment(Input):
    """`POST /payments`"""

    order_id: str = Field(min_length=1, max_length=255)
    method: Literal["upi", "card"]
    vpa: Any = None
    card: Any = None
    amount: Annotated[int | None, BeforeValidator(_amount_or_none)] = None
    currency: Annotated[str | None, BeforeValidator(_currency_or_none)] = None
    capture: Annotated[Literal["manual", "automatic"], BeforeValidator(_capture_mode)] = "manual"
    notes: dict[str, Any] | None = None


class NewPublicPayment(Input):
    """`POST /payments/public`: amount, currency and capture are the merchant's to say, so they are not read here."""

    order_id: str = Field(min_length=1, max_length=255)
    method: Literal["upi", "card"]
    vpa: Any = None
    card: Any = None
    key: str | None = Field(default=None, max_length=200)


class Capture(Input):
    """`POST /payments/{id}/capture`"""

    amount: Annotated[int | None, BeforeValidator(_capture_amount)] = None


class NewMerchant(Input):
    """`POST /internal/v1/merchants`"""

    name: str = Field(min_length=1, max_length=200)
    email: str = Field(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")
