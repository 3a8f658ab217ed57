"""The events that tell the other services what the acquirer said."""

from __future__ import annotations

from datetime import datetime

from gateway_common.events import ChargeResult, RefundResult, encode
from processor.domain.operations import Answer, Kind, Operation

_EVENT_TYPES = {
    (Kind.CHARGE, True): "charge.succeeded",
    (Kind.CHARGE, False): "charge.failed",
    (Kind.REFUND, True): "refund.executed",
    (Kind.REFUND, False): "refund.declined",
}


def result_event(operation: Operation, answer: Answer, asked_at: datetime, answered_at: datetime) -> tuple[str, str]:
    """Routing key and JSON body."""
    event_type = _EVENT_TYPES[operation.kind, answer.is_success]
    if operation.kind is Kind.REFUND:
        return event_type, encode(
            RefundResult(
                merchant_id=operation.merchant_id,
                refund_id=operation.reference,
                payment_id=operation.payment_id,
                reason=answer.reason,
                description=answer.description,
                asked_at=asked_at,
                answered_at=answered_at,
            )
        )
    return event_type, encode(
        ChargeResult(
            merchant_id=operation.merchant_id,
            payment_id=operation.payment_id,
            amount=operation.amount,
            currency=operation.currency,
            reason=answer.reason,
            description=answer.description,
            bank_reference=answer.acquirer_reference,
            asked_at=asked_at,
            answered_at=answered_at,
        )
    )
