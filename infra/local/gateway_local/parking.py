"""Parked messages: looking at them, and sending them to be tried again (docs/runbooks/parked-messages.md)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, HeadersType

from gateway_common.broker.topology import PARKED_QUEUES
from gateway_local.problems import Problem

# RabbitMQ 3.10 holds a message for ever when a client sends its `x-death` back (a cycle, it thinks).
_HISTORY = ("x-death", "x-first-death", "x-last-death", "x-delivery", "x-parked")


@dataclass(frozen=True)
class Parked:
    queue: str
    message_id: str
    type: str
    reason: str


def look(url: str, limit: int) -> list[Parked]:
    """Up to `limit` of each parked queue, oldest first; what was looked at goes to the end of its queue."""
    return asyncio.run(_look(url, limit))


def replay(url: str, queue: str, limit: int) -> int:
    """Moves up to `limit` messages back to their work queue and returns how many; each is confirmed before it is taken.

    Raises Problem for a queue that is none of ours.
    """
    return asyncio.run(_replay(url, queue.removesuffix(".parked"), limit))


async def _look(url: str, limit: int) -> list[Parked]:
    found = []
    async with await aio_pika.connect(url, timeout=5) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        for queue in PARKED_QUEUES:
            for message in await _take(channel, queue.name, limit):
                found.append(Parked(queue.name, message.message_id or "", _type(message), _reason(message)))
                # Sent again rather than given back: RabbitMQ 4 throws away what was given back twenty times.
                await _send(channel, queue.name, message, message.type, dict(message.headers))
    return found


async def _replay(url: str, work_queue: str, limit: int) -> int:
    parked = f"{work_queue}.parked"
    if parked not in {queue.name for queue in PARKED_QUEUES}:
        names = ", ".join(queue.name for queue in PARKED_QUEUES)
        raise Problem(f"{work_queue!r} has no parked queue. These exist: {names}")
    async with await aio_pika.connect(url, timeout=5) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        messages = await _take(channel, parked, limit)
        for message in messages:
            headers = {key: value for key, value in message.headers.items() if not key.startswith(_HISTORY)}
            await _send(channel, work_queue, message, _type(message), headers)
    return len(messages)


async def _take(channel: AbstractChannel, queue: str, limit: int) -> list[AbstractIncomingMessage]:
    """What is there now: a message that comes back meanwhile is not for this time, or it would go round for ever."""
    declared = await channel.declare_queue(queue, passive=True)
    waiting = min(limit, declared.declaration_result.message_count or 0)
    taken = [await declared.get(fail=False) for _ in range(waiting)]
    return [message for message in taken if message is not None]


async def _send(
    channel: AbstractChannel, queue: str, message: AbstractIncomingMessage, kind: str | None, headers: HeadersType
) -> None:
    """To the queue itself, not to its exchange: other queues bound to the same event have had theirs. Taken from where
    it was once the broker has confirmed."""
    again = aio_pika.Message(
        message.body,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=message.message_id,
        type=kind,
        timestamp=message.timestamp,
        content_type=message.content_type,
        headers=headers,
    )
    await channel.default_exchange.publish(again, queue, mandatory=True, timeout=10)
    await message.ack()


def _type(message: AbstractIncomingMessage) -> str:
    """What the consumer parked says the original type; what the broker parked still has it."""
    return str(message.headers.get("x-parked-type") or message.type or "")


def _reason(message: AbstractIncomingMessage) -> str:
    return str(message.headers.get("x-parked-reason") or "gave up after too many deliveries")
