"""Query parameters of lists, and how their values are read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Query

from gateway_common.clock import from_iso
from gateway_common.errors import ValidationError

OrderStatus = Annotated[Literal["created", "paid"] | None, Query(description="Only orders in this state")]
PaymentStatus = Annotated[
    Literal["pending", "success", "failed", "cancelled"] | None, Query(description="Only payments in this state")
]
PaymentMethod = Annotated[Literal["upi", "card"] | None, Query(description="Only payments by this method")]
OrderId = Annotated[str | None, Query(max_length=64, description="Only payments of this order")]
CreatedGte = Annotated[str | None, Query(max_length=64, description="Created at or after: ISO 8601, or Unix seconds")]
CreatedLte = Annotated[str | None, Query(max_length=64, description="Created at or before: ISO 8601, or Unix seconds")]
Search = Annotated[
    str | None,
    Query(
        max_length=255, description="A payment id, order id, VPA, or the last four digits of a card: the whole of it"
    ),
]

# PostgreSQL's timestamps go further, Python's do not.
_LAST_SECOND = 253_402_300_799


def read_moment(text: str | None, field: str) -> datetime | None:
    """Raises `ValidationError` when the text is no time."""
    if text is None:
        return None
    if text.isascii() and text.isdigit() and int(text) <= _LAST_SECOND:
        return datetime.fromtimestamp(int(text), tz=UTC)
    # A `+` of an offset that was not percent-encoded arrives as a space.
    text = text[:-6] + "+" + text[-5:] if len(text) > 6 and text[-6] == " " and text[-3] == ":" else text
    try:
        return from_iso(text)
    except (ValueError, OverflowError) as error:
        raise ValidationError(
            f"{field} must be an ISO 8601 time or Unix seconds", field=field, reason="invalid_time"
        ) from error
