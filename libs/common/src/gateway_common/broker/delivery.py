"""A consumed message, and how it is settled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import cast

import aiormq
from aiormq.abc import DeliveredMessage

from gateway_common.broker.batches import acknowledge
from gateway_common.broker.connecting import BROKER_ERRORS


class MalformedMessageError(Exception):
    """The message can never be worked: not JSON, not the shape of its type, an unknown type. It is parked at once."""


class Delivery:
    """One unacknowledged message. `ack` and `requeue` are quiet when the channel has died: the broker delivers again.

    `on_settled` is called once that has gone out, so that who waits for it may close the connection.
    """

    __slots__ = ("_channel", "_on_settled", "_tag", "body", "headers", "message_id", "message_time", "type")

    def __init__(self, message: DeliveredMessage, on_settled: Callable[[], None]) -> None:
        properties = message.header.properties
        self._channel = cast("aiormq.Channel", message.channel)
        self._tag = message.delivery_tag or 0
        self._on_settled = on_settled
        self.body: bytes = message.body
        self.message_id: str = properties.message_id or ""
        self.type: str = properties.message_type or message.routing_key or ""
        # Whole seconds, the same on every redelivery and re-publication: it is part of the inbox key.
        self.message_time: datetime = properties.timestamp or datetime.fromtimestamp(0, UTC)
        self.headers = properties.headers or {}

    @property
    def request_id(self) -> str:
        return str(self.headers.get("x-request-id") or "")

    @property
    def traceparent(self) -> str:
        return str(self.headers.get("traceparent") or "")

    async def ack(self, with_all_before: Sequence[Delivery] = ()) -> None:
        """Only after the effect has committed.

        `with_all_before`: messages of the same queue that came before this one, acknowledged by the same frame; then
        none that came before may be unsettled.
        """
        try:
            await acknowledge(self._channel, [self._tag], up_to=bool(with_all_before))
        except BROKER_ERRORS:
            return
        finally:
            for delivery in (*with_all_before, self):
                delivery._on_settled()

    async def requeue(self) -> None:
        """ "I failed": counts towards the delivery limit, after which the broker parks the message."""
        try:
            await self._channel.basic_reject(self._tag, requeue=True)
        except BROKER_ERRORS:
            return
        finally:
            self._on_settled()


async def ack_all(deliveries: Sequence[Delivery]) -> None:
    """`ack` each of them, those of one channel in one write."""
    by_channel: dict[aiormq.Channel, list[Delivery]] = {}
    for delivery in deliveries:
        by_channel.setdefault(delivery._channel, []).append(delivery)
    for channel, settled in by_channel.items():
        try:
            await acknowledge(channel, [delivery._tag for delivery in settled])
        except BROKER_ERRORS:
            continue
        finally:
            for delivery in settled:
                delivery._on_settled()
