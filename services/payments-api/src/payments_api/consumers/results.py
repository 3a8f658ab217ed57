"""`payments.results`: the processor's verdicts, many at a time.

Runs twice, late or out of order without harm: only a pending payment changes, and its events leave with the change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from gateway_common.broker.delivery import Delivery, MalformedMessageError
from gateway_common.clock import Clock
from gateway_common.database import Database
from gateway_common.events import ChargeResult, parse
from gateway_common.logs import get_logger
from gateway_common.outbox.nudge import OutboxNudge
from gateway_common.outbox.writing import OutgoingMessage
from payments_api.domain.payment import Payment
from payments_api.domain.states import Event, State, after
from payments_api.rendering import event_json
from payments_api.repositories import results
from payments_api.repositories.results import Decided

log = get_logger(__name__)

ERROR_CODE = "PAYMENT_FAILED"
DEFAULT_DESCRIPTION = "The bank declined the payment"


class ResultConsumer:
    """The handler of the queue; `now` gives whole milliseconds."""

    def __init__(self, database: Database, nudge: OutboxNudge, clock: Clock) -> None:
        self._database = database
        self._nudge = nudge
        self._clock = clock

    async def handle(self, batch: Sequence[Delivery]) -> None:
        given: dict[tuple[UUID, str], tuple[Event, ChargeResult, Delivery]] = {}
        for delivery in batch:
            result = parse(ChargeResult, delivery)
            # The first of several verdicts counts, as it would one by one.
            given.setdefault((result.merchant_id, result.payment_id), (_event_of(delivery), result, delivery))
        pending = await results.pending_among(self._database, list(given))
        if not pending:
            return
        now = self._clock.now()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        decided = [_decide(payment, *given[key], now) for key, payment in pending.items()]
        changed = await results.apply(self._database, decided, now)
        if changed:
            self._nudge.nudge()
        log.debug("results.applied", given=len(batch), changed=changed)


def _event_of(delivery: Delivery) -> Event:
    try:
        return Event(delivery.type)
    except ValueError as error:
        raise MalformedMessageError(f"unknown type {delivery.type!r}") from error


def _decide(payment: Payment, event: Event, result: ChargeResult, delivery: Delivery, now: datetime) -> Decided:
    state = after(payment.state, event)
    if state is None:
        raise MalformedMessageError(f"{event} says nothing about a {payment.state} payment")
    decided = replace(payment, status=state.value, sequence=payment.sequence + 1, updated_at=now)
    if state is State.FAILED:
        decided = replace(
            decided,
            error_code=ERROR_CODE,
            error_description=result.description or DEFAULT_DESCRIPTION,
            error_reason=result.reason,
        )
    events = [_message(decided, f"payment.{state}", delivery, now)]
    if state is State.SUCCESS and payment.capture_mode == "automatic":
        decided = replace(decided, captured=True, amount_captured=payment.amount, sequence=decided.sequence + 1)
        events.append(_message(decided, "payment.captured", delivery, now))
    return Decided(decided, tuple(events))


def _message(payment: Payment, event_type: str, delivery: Delivery, now: datetime) -> OutgoingMessage:
    return OutgoingMessage(
        event_type,
        payment.merchant_id,
        event_json(payment, payment.sequence, now),
        now,
        request_id=delivery.request_id,
        traceparent=delivery.traceparent,
    )
