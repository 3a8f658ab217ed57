"""`payments.refunds`: how much of each payment has been given back, as the refunds service says."""

from __future__ import annotations

from collections.abc import Sequence

from gateway_common.broker.delivery import Delivery
from gateway_common.clock import Clock
from gateway_common.database import Database
from gateway_common.events import RefundEvent, parse
from payments_api.repositories import results
from payments_api.repositories.results import RefundSum


class RefundConsumer:
    """Late and repeated messages are told by `refund_version` and change nothing."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def handle(self, batch: Sequence[Delivery]) -> None:
        now = self._clock.now()
        events = [parse(RefundEvent, delivery) for delivery in batch]
        sums = [
            RefundSum(
                event.merchant_id, event.refund.payment_id, event.amount_refunded, event.refund_version, event.sequence
            )
            for event in events
        ]
        await results.apply_refunds(self._database, sums, now.replace(microsecond=now.microsecond // 1000 * 1000))
