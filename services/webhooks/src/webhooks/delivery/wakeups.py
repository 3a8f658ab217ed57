"""Put words about due deliveries into the broker: at once, or into the delay queue of exactly their pause.

The delivery's row is this message's outbox: a word that is lost, or for whose pause there is no queue, is made up for
by the sweeper, which reads the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from gateway_common.broker.batches import Outgoing
from gateway_common.broker.publisher import Publisher
from gateway_common.broker.topology import DELIVER_KEY, WEBHOOK_DELAY_SECONDS, webhook_delay_key
from gateway_common.events import DeliveryDue, encode
from gateway_common.ids import new_event_id
from gateway_common.logs import get_logger
from webhooks.repositories.deliveries import Due

log = get_logger(__name__)

# Says that the sweeper sent this word, for a delivery that is overdue: there may be any number of others.
SWEPT_HEADER = "x-swept"
# A pause counts as that of a queue when it is this much shorter at most: recording takes a moment.
_TOLERANCE = timedelta(seconds=1)


def delay_level(pause: timedelta) -> int | None:
    """The delay queue, in seconds, that brings a word back on time; None when the sweeper has to."""
    for seconds in WEBHOOK_DELAY_SECONDS:
        if timedelta(0) <= timedelta(seconds=seconds) - pause <= _TOLERANCE:
            return seconds
    return None


class Wakeups:
    """Publishing is confirmed; what was not is logged and left to the sweeper."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def send(self, dues: Sequence[Due], now: datetime, *, is_swept: bool = False) -> None:
        """These are due now."""
        headers: dict[str, str | int] = {SWEPT_HEADER: 1} if is_swept else {}
        await self._publish([(due, DELIVER_KEY) for due in dues], now, headers)

    async def schedule(self, dues: Sequence[tuple[Due, datetime | None]], now: datetime) -> None:
        """Each is due at its time; None is not due at all."""
        routed = [
            (due, webhook_delay_key(level))
            for due, moment in dues
            if moment is not None and (level := delay_level(moment - now)) is not None
        ]
        await self._publish(routed, now)

    async def _publish(
        self, routed: Sequence[tuple[Due, str]], now: datetime, headers: Mapping[str, str | int] | None = None
    ) -> None:
        if not routed:
            return
        confirmed = await self._publisher.publish_all([_message(due, key, now, headers or {}) for due, key in routed])
        if not all(confirmed):
            log.warning("wakeup.not_confirmed", count=confirmed.count(False))


def _message(due: Due, key: str, now: datetime, headers: Mapping[str, str | int]) -> Outgoing:
    body = DeliveryDue(
        merchant_id=due.merchant_id, delivery_id=due.id, endpoint_id=due.endpoint_id, attempt=due.attempt
    )
    return Outgoing(key, encode(body).encode(), new_event_id(), now, {"x-attempt": due.attempt, **headers})
