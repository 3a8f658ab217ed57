"""Publish with confirms: one long-lived channel, at most 50 confirms in flight (BROKER.md: 1000 gain nothing)."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

import aiormq
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity, DeliveryError
from pamqp.commands import Basic

from gateway_common.broker.connecting import BROKER_ERRORS, open_connection
from gateway_common.broker.topology import Exchange
from gateway_common.errors import BrokerUnavailableError
from gateway_common.logs import get_logger

log = get_logger(__name__)

CONFIRMS_IN_FLIGHT = 50
CONFIRM_TIMEOUT_SECONDS = 10.0
RECONNECT_PAUSE_SECONDS = 0.3
PERSISTENT = 2  # AMQP 0-9-1, delivery-mode


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as it goes out. `body` is JSON, `timestamp` when it was first made (the same on every repeat)."""

    routing_key: str
    body: bytes
    message_id: str
    timestamp: datetime
    headers: dict[str, str | int] = field(default_factory=dict)


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
        self._slots = asyncio.Semaphore(CONFIRMS_IN_FLIGHT)

    async def publish(self, message: Outgoing) -> None:
        """Returns once the broker has confirmed.

        Raises:
            BrokerUnavailableError: not confirmed in time, refused, or no queue takes this routing key. The outcome is
                unknown: the message may still arrive, so publish again with the same `message_id`.
        """
        async with self._slots:
            link = await self._ready()
            try:
                await link.channel.basic_publish(
                    message.body,
                    exchange=self._exchange_name,
                    routing_key=message.routing_key,
                    properties=Basic.Properties(
                        delivery_mode=PERSISTENT,
                        message_id=message.message_id,
                        message_type=message.routing_key,
                        timestamp=message.timestamp,
                        content_type="application/json",
                        headers=dict(message.headers),
                    ),
                    mandatory=True,
                    timeout=CONFIRM_TIMEOUT_SECONDS,
                    wait=False,  # the confirm is waited for; that the bytes have left says nothing more
                )
            except DeliveryError as error:
                # Returned (no queue) or refused (a full queue): the channel is fine.
                log.warning("message.refused", routing_key=message.routing_key, error=repr(error))
                raise BrokerUnavailableError from error
            except BROKER_ERRORS as error:
                await self._drop(link, error)
                raise BrokerUnavailableError from error

    async def publish_all(self, messages: Sequence[Outgoing]) -> list[bool]:
        """Publish many; answers for each whether the broker confirmed it."""
        results = await asyncio.gather(*(self.publish(message) for message in messages), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, BrokerUnavailableError):
                raise result
        return [result is None for result in results]

    async def message_count(self, queue: str) -> int | None:
        """How many messages wait in `queue`; None when the queue does not exist.

        Raises:
            BrokerUnavailableError: the broker cannot be asked.
        """
        link = await self._ready()
        try:
            async with link.connection.channel() as channel:
                declared = await channel.declare_queue(queue, passive=True, timeout=CONFIRM_TIMEOUT_SECONDS)
                return declared.declaration_result.message_count
        except ChannelNotFoundEntity:
            return None
        except BROKER_ERRORS as error:
            await self._drop(link, error)
            raise BrokerUnavailableError from error

    async def close(self) -> None:
        if (link := self._link) is not None:
            self._link = None
            with suppress(*BROKER_ERRORS):
                await link.connection.close()

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
                    channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
                    below = cast("aiormq.Channel", await channel.get_underlay_channel())
                except BROKER_ERRORS as error:
                    self._failed_at = time.monotonic()
                    raise BrokerUnavailableError from error
                self._link = _Link(connection, below)
            return self._link

    async def _drop(self, link: _Link, error: BaseException) -> None:
        """A lost connection does not say so by itself (`is_closed` means closed by us), so any doubt opens a new one."""
        if self._link is link:
            self._link = None
            log.warning("publisher.connection_dropped", error=repr(error))
            with suppress(*BROKER_ERRORS):
                await link.connection.close()
