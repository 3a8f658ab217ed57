"""Many publishes, or many acknowledgements, in one write: the one place that knows aiormq's channel from the inside.

`Channel.basic_publish` takes the channel's lock and wakes the connection's writer for each message: one system call per message
here, and one wake-up of a reader in the broker, cost more than everything else about it. What is done here is what that method
does, for a whole batch (decision 0055; `tests/integration/test_batches.py` holds it against the library).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiormq
from aiormq.abc import ChannelFrame
from pamqp.body import ContentBody
from pamqp.commands import Basic
from pamqp.frame import marshal
from pamqp.header import ContentHeader

PERSISTENT = 2  # AMQP 0-9-1, delivery-mode

Confirmation = asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as it goes out. `body` is JSON, `timestamp` when it was first made (the same on every repeat)."""

    routing_key: str
    body: bytes
    message_id: str
    timestamp: datetime
    headers: dict[str, str | int] = field(default_factory=dict)


async def send(channel: aiormq.Channel, exchange: str, messages: Sequence[Outgoing]) -> list[Confirmation]:
    """Put the messages on their way; each confirmation ends with the broker's ack, or raises `DeliveryError` or what
    closed the channel. The channel must have publisher confirms on.

    Raises:
        one of `connecting.BROKER_ERRORS`: the channel is closed. Cancelled half way, it must not be used any more.
    """
    confirmations: list[Confirmation] = []
    payload = bytearray()
    async with channel.lock:
        for message in messages:
            channel.delivery_tag += 1
            confirmation = channel.create_future()
            channel.confirmations[channel.delivery_tag] = confirmation
            # A returned message names no delivery tag: it is found by its id.
            channel.message_id_delivery_tag[message.message_id] = channel.delivery_tag
            confirmation.add_done_callback(_Forget(channel, message.message_id, channel.delivery_tag))
            confirmations.append(confirmation)
            payload += _frames(channel, exchange, message)
        await channel.write_queue.put(ChannelFrame(payload=bytes(payload), should_close=False))
    return confirmations


async def acknowledge(channel: aiormq.Channel, delivery_tags: Sequence[int], *, up_to: bool = False) -> None:
    """Acknowledge each; `up_to`: each with all before it.

    Raises:
        one of `connecting.BROKER_ERRORS`: the channel is closed; the broker delivers again.
    """
    async with channel.lock:
        payload = b"".join(marshal(Basic.Ack(tag, up_to), channel.number) for tag in delivery_tags)
        written = channel.create_future()
        await channel.write_queue.put(ChannelFrame(payload=payload, should_close=False, drain_future=written))
    await written


class _Forget:
    """Called when a confirmation is done: its message id may be used again meanwhile."""

    def __init__(self, channel: aiormq.Channel, message_id: str, delivery_tag: int) -> None:
        self._channel, self._message_id, self._delivery_tag = channel, message_id, delivery_tag

    def __call__(self, _confirmation: Confirmation) -> None:
        tags = self._channel.message_id_delivery_tag
        if tags.get(self._message_id) == self._delivery_tag:
            del tags[self._message_id]


def _frames(channel: aiormq.Channel, exchange: str, message: Outgoing) -> bytes:
    properties = Basic.Properties(
        delivery_mode=PERSISTENT,
        message_id=message.message_id,
        message_type=message.routing_key,
        timestamp=message.timestamp,
        content_type="application/json",
        headers=dict(message.headers),
    )
    body, most = message.body, channel.max_content_size
    parts: tuple[Basic.Publish | ContentHeader | ContentBody, ...] = (
        Basic.Publish(exchange=exchange, routing_key=message.routing_key, mandatory=True),
        ContentHeader(body_size=len(body), properties=properties),
        *(ContentBody(body[start : start + most]) for start in range(0, len(body), most)),
    )
    return b"".join(marshal(part, channel.number) for part in parts)
