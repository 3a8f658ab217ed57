"""Refunds as merchants see them (API.md), and the events about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from gateway_common.clock import to_iso
from gateway_common.events import RefundEvent, RefundRequested, RefundSnapshot, encode
from gateway_common.ids import EventId
from gateway_common.outbox.writing import OutgoingMessage
from refunds.domain.balance import Balance
from refunds.domain.refunds import Refund

_EVENT_TYPES = {"pending": "refund.created", "processed": "refund.processed", "failed": "refund.failed"}


def public(refund: Refund) -> dict[str, Any]:
    """The object of every answer."""
    return {
        "id": refund.id,
        "payment_id": refund.payment_id,
        "amount": refund.amount,
        "currency": refund.currency,
        "reason": refund.reason,
        "notes": refund.notes,
        "status": refund.status,
        "error_reason": refund.error_reason,
        "error_description": refund.error_description,
        "created_at": to_iso(refund.created_at),
        "processed_at": None if refund.processed_at is None else to_iso(refund.processed_at),
    }


def event(refund: Refund, balance: Balance, now: datetime) -> OutgoingMessage:
    """What has just happened to the refund; `balance` as it is after that."""
    snapshot = RefundSnapshot(
        id=refund.id,
        payment_id=refund.payment_id,
        amount=refund.amount,
        currency=refund.currency,
        reason=refund.reason,
        notes=refund.notes,
        status=refund.status.value,
        error_reason=refund.error_reason,
        created_at=to_iso(refund.created_at),
        processed_at=None if refund.processed_at is None else to_iso(refund.processed_at),
    )
    body = RefundEvent(
        merchant_id=refund.merchant_id,
        sequence=balance.sequence,
        occurred_at=now,
        refund=snapshot,
        amount_refunded=balance.amount_refunded,
        refund_version=balance.version,
        refund_status=balance.refund_status,
    )
    return OutgoingMessage(
        _EVENT_TYPES[refund.status],
        refund.merchant_id,
        encode(body),
        now,
        request_id=refund.request_id,
        traceparent=refund.traceparent,
    )


def request(refund: Refund) -> OutgoingMessage:
    """The processor's order; the same message whenever it is written."""
    body = RefundRequested(
        merchant_id=refund.merchant_id,
        refund_id=refund.id,
        payment_id=refund.payment_id,
        amount=refund.amount,
        currency=refund.currency,
        requested_at=refund.created_at,
    )
    return OutgoingMessage(
        "refund.requested",
        refund.merchant_id,
        encode(body),
        refund.created_at,
        EventId(refund.request_message_id),
        refund.request_id,
        refund.traceparent,
    )
