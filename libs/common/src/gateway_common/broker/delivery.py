"""A consumed message, and how it is settled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from aio_pika.abc import AbstractIncomingMessage

from gateway_common.broker.connecting import BROKER_ERRORS


class MalformedMessageError(Exception):
    """The message can never be worked: not JSON, not the shape of its type, an unknown type. It is parked at once."""


class Delivery:
    """One unacknowledged message. `ack` and `requeue` are quiet when the channel has died: the broker delivers again.

    `on_settled` is called once that has gone out, so that who waits for it may close the connection.
    """

    __slots__ = ("_message", "_on_settled", "body", "headers", "message_id", "message_time", "type")

    def __init__(self, message: AbstractIncomingMessage, on_settled: Callable[[], None]) -> None:
        self._message = message
        self._on_settled = on_settled
        self.body: bytes = message.body
        self.message_id: str = message.message_id or ""
        self.type: str = message.type or message.routing_key or ""
        # Whole seconds, the same on every redelivery and re-publication: it is part of the inbox key.
        self.message_time: datetime = message.timestamp or datetime.fromtimestamp(0, UTC)
        self.headers = message.headers

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
            await self._message.ack(multiple=bool(with_all_before))
        except BROKER_ERRORS:
            return
        finally:
            for delivery in (*with_all_before, self):
                delivery._on_settled()

    async def requeue(self) -> None:
        """ "I failed": counts towards the delivery limit, after which the broker parks the message."""
        try:
            await self._message.reject(requeue=True)
        except BROKER_ERRORS:
            return
        finally:
            self._on_settled()
