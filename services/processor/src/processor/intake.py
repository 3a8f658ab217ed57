"""Take messages over from the broker: read them, sort out what is known, and start the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from gateway_common.broker.delivery import Delivery, MalformedMessageError
from gateway_common.context import accept_traceparent
from gateway_common.events import PaymentEvent, RefundRequested, parse
from gateway_common.outbox.nudge import OutboxNudge
from processor.domain.operations import Kind, Operation, Outcome
from processor.execution import Execution
from processor.repository import OperationRepository

# Whoever sends a request again this long after the answer has not heard it: the answer is sent again.
REPEAT_AFTER = timedelta(seconds=30)

Reader = Callable[[Delivery], Operation]


def read_charge(delivery: Delivery) -> Operation:
    """`payment.created` as a charge. Raises `MalformedMessageError`."""
    event = parse(PaymentEvent, delivery)
    payment = event.payment
    if payment.amount <= 0:
        raise MalformedMessageError("PaymentEvent: amount must be positive")
    return Operation(
        Kind.CHARGE,
        event.merchant_id,
        payment.id,
        payment.id,
        payment.amount,
        payment.currency,
        payment.method,
        payment.vpa,
        event.card_token,
        delivery.request_id,
        accept_traceparent(delivery.traceparent),
    )


def read_refund(delivery: Delivery) -> Operation:
    """`refund.requested` as a refund. Raises `MalformedMessageError`."""
    request = parse(RefundRequested, delivery)
    if request.amount <= 0:
        raise MalformedMessageError("RefundRequested: amount must be positive")
    return Operation(
        Kind.REFUND,
        request.merchant_id,
        request.payment_id,
        request.refund_id,
        request.amount,
        request.currency,
        request_id=delivery.request_id,
        traceparent=accept_traceparent(delivery.traceparent),
    )


class Intake:
    """A batch handler for a `Consumer` with `acknowledges_itself`."""

    def __init__(
        self,
        read: Reader,
        repository: OperationRepository,
        execution: Execution,
        nudge: OutboxNudge,
    ) -> None:
        self._read = read
        self._repository = repository
        self._execution = execution
        self._nudge = nudge

    async def handle(self, batch: Sequence[Delivery]) -> None:
        """Nothing is taken over before the whole batch has been read and looked up: until then a failure may repeat it."""
        read = [(self._read(delivery), delivery) for delivery in batch]
        known = {one.operation.key: one for one in await self._repository.find_known([one for one, _ in read])}
        decided = [one.operation for one in known.values() if one.outcome is not Outcome.UNKNOWN]
        if decided:
            await self._repository.repeat_results(decided, REPEAT_AFTER)
            self._nudge.nudge()
        for operation, delivery in read:
            if operation.key in known:
                # Decided, or the sweeper inquires about it: never asked for again.
                await self._execution.forget_card(operation)
                await delivery.ack()
            elif not self._execution.join(operation, delivery):
                self._execution.start(operation, delivery)
