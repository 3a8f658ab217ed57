"""Publish with confirms: one long-lived channel, a batch in one write, at most 300 confirms of a batch in flight."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import aiormq
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity, DeliveryError

from gateway_common.broker.batches import Confirmation, Outgoing, send
from gateway_common.broker.connecting import BROKER_ERRORS, CALL_SECONDS, close, open_connection, within
from gateway_common.broker.topology import Exchange
from gateway_common.errors import BrokerUnavailableError
from gateway_common.logs import get_logger

log = get_logger(__name__)

CONFIRMS_IN_FLIGHT = 300
CONFIRM_TIMEOUT_SECONDS = 10.0
RECONNECT_PAUSE_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class _Link:
    """`channel` is the one below aio-pika's, whose own message objects cost as much as the sending."""

    connection: AbstractConnection
    channel: aiormq.Channel


class Publisher:
    """Publishes to this service's own exchange, on a connection of its own (a blocked broker stops reading it)."""

    def __init__(self, url: str, exchange: Exchange, name: str) -> None:
        self._url = url
        self._exchange_name = exchange.value
        self._name = name
        self._link: _Link | None = None
        self._failed_at = -math.inf
        self._opening = asyncio.Lock()

    async def publish(self, message: Outgoing) -> None:
        """Returns once the broker has confirmed.

        Raises:
            BrokerUnavailableError: not confirmed in time, refused, or no queue takes this routing key. The outcome is
                unknown: the message may still arrive, so publish again with the same `message_id`.
        """
        (is_confirmed,) = await self.publish_all([message])
        if not is_confirmed:
            raise BrokerUnavailableError

    async def publish_all(self, messages: Sequence[Outgoing]) -> list[bool]:
        """Publish many; answers for each whether the broker confirmed it. What it says of `publish` goes for each."""
        results: list[bool] = []
        for start in range(0, len(messages), CONFIRMS_IN_FLIGHT):
            results += await self._publish(messages[start : start + CONFIRMS_IN_FLIGHT])
            if not any(results[start:]):
                # The broker is gone or full: the rest would each wait as long.
                break
        return results + [False] * (len(messages) - len(results))

    async def _publish(self, messages: Sequence[Outgoing]) -> list[bool]:
        try:
            link = await self._ready()
        except BrokerUnavailableError:
            return [False] * len(messages)
        confirmations: list[Confirmation] = []
        try:
            async with asyncio.timeout(CONFIRM_TIMEOUT_SECONDS):
                confirmations = await send(link.channel, self._exchange_name, messages)
                await asyncio.wait(confirmations)
        except BROKER_ERRORS as error:
            await self._drop(link, error)
        except asyncio.CancelledError as error:
            if not confirmations:  # cut while sending: the channel's count of messages may be wrong now
                await self._drop(link, error)
            raise
        finally:
            for confirmation in confirmations:
                confirmation.cancel()  # changes nothing about those that are done
        results = [await self._is_confirmed(link, *pair) for pair in zip(messages, confirmations, strict=False)]
        return results + [False] * (len(messages) - len(results))

    async def _is_confirmed(self, link: _Link, message: Outgoing, confirmation: Confirmation) -> bool:
        error = None if confirmation.cancelled() else confirmation.exception()
        if isinstance(error, DeliveryError):
            # Returned (no queue) or refused (a full queue): the channel is fine.
            log.warning("message.refused", routing_key=message.routing_key, error=repr(error))
        elif error is not None:
            await self._drop(link, error)
        return error is None and not confirmation.cancelled()

    async def message_count(self, queue: str) -> int | None:
        """How many messages wait in `queue`; None when the queue does not exist.

        Raises:
            BrokerUnavailableError: the broker cannot be asked.
        """
        link = await self._ready()
        try:
            return await within(CONFIRM_TIMEOUT_SECONDS, _count(link.connection, queue))
        except ChannelNotFoundEntity:
            return None
        except BROKER_ERRORS as error:
            await self._drop(link, error)
            raise BrokerUnavailableError from error

    async def close(self) -> None:
        if (link := self._link) is not None:
            self._link = None
            await close(link.connection)

    async def _ready(self) -> _Link:
        if (link := self._link) is not None:
            return link
        async with self._opening:
            if self._link is None:
                # The rest of a batch need not each wait for a broker that has just been found gone.
                if time.monotonic() - self._failed_at < RECONNECT_PAUSE_SECONDS:
                    raise BrokerUnavailableError
                try:
                    connection = await open_connection(self._url, f"{self._name}.publish")
                    self._link = _Link(connection, await _open_channel(connection))
                except BROKER_ERRORS as error:
                    self._failed_at = time.monotonic()
                    raise BrokerUnavailableError from error
            return self._link

    async def _drop(self, link: _Link, error: BaseException) -> None:
        """A lost connection does not say so by itself (`is_closed` means closed by us), so any doubt opens a new one."""
        if self._link is link:
            self._link = None
            log.warning("publisher.connection_dropped", error=repr(error))
            await close(link.connection)


async def _open_channel(connection: AbstractConnection) -> aiormq.Channel:
    try:
        channel = await within(CALL_SECONDS, connection.channel(publisher_confirms=True, on_return_raises=True))
        return cast("aiormq.Channel", await channel.get_underlay_channel())
    except BROKER_ERRORS:
        await close(connection)
        raise


async def _count(connection: AbstractConnection, queue: str) -> int | None:
    async with connection.channel() as channel:
        declared = await channel.declare_queue(queue, passive=True)
        return declared.declaration_result.message_count
