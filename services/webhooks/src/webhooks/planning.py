"""The planner: consumes `webhooks.plan` and turns each event into stored rows, then offers what is due for delivery."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gateway_common.broker.delivery import Delivery, MalformedMessageError
from gateway_common.clock import Clock
from gateway_common.database import Database
from gateway_common.events import PaymentEvent, RefundEvent, parse
from webhooks import metrics
from webhooks.domain.delivery_ids import whole_milliseconds
from webhooks.domain.event_bodies import PAYMENT_EVENTS, REFUND_EVENTS, render_body
from webhooks.repositories import planning
from webhooks.repositories.planning import NewEvent, PlannedDelivery

# Numbered by payments-api alone, before any other service knows the payment; later ones may clash with the refunds service's.
_NEVER_CLASH = frozenset({"payment.created", "payment.pending", "payment.success", "payment.failed"})

Offer = Callable[[Sequence[PlannedDelivery]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A message before its number is settled."""

    id: str
    type: str
    merchant_id: UUID
    payment_id: str
    sequence: int
    occurred_at: datetime
    data: dict[str, Any]
    request_id: str

    def as_event(self, sequence: int) -> NewEvent:
        return NewEvent(
            self.merchant_id,
            self.id,
            whole_milliseconds(self.occurred_at),
            self.type,
            self.payment_id,
            sequence,
            render_body(self.type, self.occurred_at, self.data, self.id, sequence),
            self.request_id,
        )


class Planner:
    """A batch handler. `offer` gets the due deliveries after the commit; what it does not take, the sweeper finds."""

    def __init__(self, database: Database, clock: Clock, offer: Offer) -> None:
        self._database = database
        self._clock = clock
        self._offer = offer

    async def handle(self, batch: Sequence[Delivery]) -> None:
        parsed = [event for event in map(_read, batch) if event is not None]
        if not parsed:
            return
        recipients = await planning.recipients_of(self._database, {event.merchant_id for event in parsed})
        now = self._clock.now()
        clashing = {(event.merchant_id, event.payment_id) for event in parsed if event.type not in _NEVER_CLASH}
        if not clashing:
            events = [event.as_event(event.sequence) for event in parsed]
            due = await planning.plan(self._database, events, recipients, now)
        else:
            async with self._database.transaction() as transaction:
                await planning.lock_payments(transaction, {payment_id for _, payment_id in clashing})
                oldest = min(event.occurred_at for event in parsed)
                taken = await planning.taken_sequences(transaction, clashing, oldest - timedelta(days=1))
                due = await planning.plan(transaction, _numbered(parsed, taken), recipients, now)
        metrics.EVENTS_PLANNED.inc(len(parsed))
        await self._offer(due)


def _read(delivery: Delivery) -> _Parsed | None:
    """None for an event type that merchants do not see.

    Raises:
        MalformedMessageError: no such shape, or no message id.
    """
    if not delivery.message_id:
        raise MalformedMessageError("the message has no message_id")
    if delivery.type in PAYMENT_EVENTS:
        payment = parse(PaymentEvent, delivery)
        return _Parsed(
            delivery.message_id,
            delivery.type,
            payment.merchant_id,
            payment.payment.id,
            payment.sequence,
            payment.occurred_at,
            {"payment": payment.payment.model_dump(exclude_unset=True)},
            delivery.request_id,
        )
    if delivery.type in REFUND_EVENTS:
        refund = parse(RefundEvent, delivery)
        return _Parsed(
            delivery.message_id,
            delivery.type,
            refund.merchant_id,
            refund.refund.payment_id,
            refund.sequence,
            refund.occurred_at,
            {"refund": refund.refund.model_dump(exclude_unset=True)},
            delivery.request_id,
        )
    return None


def _numbered(parsed: Sequence[_Parsed], taken: dict[str, dict[int, str]]) -> list[NewEvent]:
    """Two services may have given two events of a payment the same number: the later one takes the next free."""
    events = []
    for event in parsed:
        numbers = taken.setdefault(event.payment_id, {})
        sequence = event.sequence
        while numbers.get(sequence, event.id) != event.id:
            sequence += 1
        numbers[sequence] = event.id
        events.append(event.as_event(sequence))
    return events
