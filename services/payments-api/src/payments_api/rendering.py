"""Orders and payments as merchants see them (API.md), and the events that carry them.

One place, because a replayed answer must have the bytes of the first one: what creation answered is rendered again
from the stored object's unchanging fields.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from gateway_common.clock import to_iso
from payments_api.domain.payment import Order, Payment

# Stands where the statement that creates a payment fills in what the order says; JSON escapes it everywhere else.
_BLANK = orjson.Fragment(b"\x00")


def _json(text: str | None) -> orjson.Fragment | None:
    return None if text is None else orjson.Fragment(text)


def order_fields(order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "merchant_id": str(order.merchant_id),
        "amount": order.amount,
        "amount_paid": order.amount_paid,
        "currency": order.currency,
        "receipt": order.receipt,
        "notes": _json(order.notes),
        "status": order.status,
        "multiple_payments": order.multiple_payments,
        "created_at": to_iso(order.created_at),
        "updated_at": to_iso(order.updated_at),
    }


def created_order(order: Order) -> bytes:
    """What `POST /orders` answered, whatever has become of the order since."""
    return orjson.dumps(order_fields(replace(order, amount_paid=0, status="created", updated_at=order.created_at)))


def payment_fields(payment: Payment, *, amount: Any = None, currency: Any = None) -> dict[str, Any]:
    """Only the method's own fields appear. `amount` and `currency` stand in for the payment's own."""
    fields: dict[str, Any] = {
        "id": payment.id,
        "order_id": payment.order_id,
        "amount": payment.amount if amount is None else amount,
        "currency": payment.currency if currency is None else currency,
        "method": payment.method,
    }
    if payment.method == "upi":
        fields["vpa"] = payment.vpa
    else:
        fields["card_network"] = payment.card_network
        fields["card_last4"] = payment.card_last4
    fields["status"] = payment.status
    fields["captured"] = payment.captured
    fields["amount_captured"] = payment.amount_captured
    fields["amount_refunded"] = payment.amount_refunded
    fields["refund_status"] = payment.refund_status
    fields["error_code"] = payment.error_code
    fields["error_description"] = payment.error_description
    fields["error_reason"] = payment.error_reason
    fields["notes"] = _json(payment.notes)
    fields["created_at"] = to_iso(payment.created_at)
    fields["updated_at"] = to_iso(payment.updated_at)
    return fields


def as_created(payment: Payment) -> Payment:
    """The payment as it was at the moment of its creation, whatever has become of it since."""
    return Payment(
        payment.merchant_id,
        payment.id,
        payment.order_id,
        payment.amount,
        payment.currency,
        payment.method,
        payment.vpa,
        payment.card_network,
        payment.card_last4,
        payment.capture_mode,
        payment.notes,
        payment.created_at,
        payment.created_at,
    )


def payment_json(payment: Payment) -> bytes:
    return orjson.dumps(payment_fields(payment))


def public_payment_fields(payment: Payment) -> dict[str, Any]:
    """What a shopper's browser may see: no VPA, no card, no notes."""
    return {
        "id": payment.id,
        "order_id": payment.order_id,
        "amount": payment.amount,
        "currency": payment.currency,
        "method": payment.method,
        "status": payment.status,
        "error_code": payment.error_code,
        "error_description": payment.error_description,
        "error_reason": payment.error_reason,
    }


def event_json(payment: Payment, sequence: int, occurred_at: datetime, *, card_token: str | None = None) -> str:
    """A `PaymentEvent` (gateway_common.events.payments)."""
    return orjson.dumps(_event(payment, payment_fields(payment), sequence, occurred_at, card_token)).decode()


def event_with_blanks(
    payment: Payment, sequence: int, occurred_at: datetime, *, card_token: str | None = None
) -> tuple[str, str]:
    """The event without its amount and currency: the text before `"amount":`'s value and the one after `"currency":`'s.

    Between the two belongs `<amount>,"currency":"<currency>"`.
    """
    fields = payment_fields(payment, amount=_BLANK, currency=_BLANK)
    text = orjson.dumps(_event(payment, fields, sequence, occurred_at, card_token)).decode()
    before, _, rest = text.partition("\x00")
    return before, rest.partition("\x00")[2]


def _event(
    payment: Payment, fields: dict[str, Any], sequence: int, occurred_at: datetime, card_token: str | None
) -> dict[str, Any]:
    event: dict[str, Any] = {
        "merchant_id": str(payment.merchant_id),
        "sequence": sequence,
        "occurred_at": to_iso(occurred_at),
        "payment": fields,
    }
    if card_token is not None:
        event["card_token"] = card_token
    return event
