"""Consume a work queue: batches, explicit acknowledgement, and one place that decides what a failure means.

What the handler raises decides:

- nothing: acknowledged;
- `MalformedMessageError`: parked at once, with the reason;
- `ServiceUnavailableError`, a serialisation failure or a deadlock: kept and tried again with growing pauses; that never
  counts against the message;
- anything else: its batch is tried one by one; the one at fault is requeued, and parked by the broker at its delivery limit.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import asyncpg
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity
from aiormq.abc import DeliveredMessage
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from gateway_common import context, metrics, tracing
from gateway_common.broker.batches import Outgoing
from gateway_common.broker.connecting import (
    BROKER_ERRORS,
    CALL_SECONDS,
    close,
    open_connection,
    open_connection_patiently,
    within,
)
from gateway_common.broker.delivery import Delivery, MalformedMessageError
from gateway_common.broker.publisher import Publisher
from gateway_common.broker.topology import Queue
from gateway_common.errors import BrokerUnavailableError, ServiceUnavailableError
from gateway_common.logs import get_logger
from gateway_common.pacing import Pace

log = get_logger(__name__)

BatchHandler = Callable[[Sequence[Delivery]], Awaitable[None]]

TRANSIENT_ERRORS = (ServiceUnavailableError, asyncpg.SerializationError, asyncpg.DeadlockDetectedError)

# A message at fault comes back at once; without a pause it would burn through its delivery limit in milliseconds.
REQUEUE_PAUSE_SECONDS = 0.5


class _Unsettled:
    """Messages of one connection that were neither acknowledged nor given back; those of a lost one count no more."""

    def __init__(self) -> None:
        self.count = 0

    def settle(self) -> None:
        self.count -= 1


class Consumer:
    """Reads `queue` until `stop()`; opens its own connection, and the next one when that is lost.

    Args:
        handler: works a batch in one transaction. With `acknowledges_itself` it only takes the messages over and
            settles each later (`Delivery.ack`, `park`), for work that waits long outside of the database.
        parking: publishes poison messages to `<queue>.parked`.
        prefetch: how many messages may be unacknowledged.
        pace_seconds: at most one batch begins in this time.
    """

    def __init__(
        self,
        url: str,
        queue: Queue,
        handler: BatchHandler,
        *,
        name: str,
        parking: Publisher,
        prefetch: int = 400,
        batch_size: int = 200,
        pace_seconds: float = 0.03,
        acknowledges_itself: bool = False,
        drain_timeout_seconds: float = 20.0,
    ) -> None:
        self._url = url
        self._queue = queue
        self._handler = handler
        self._name = name
        self._parking = parking
        self._prefetch = prefetch
        self._batch_size = batch_size
        self._pace = Pace(pace_seconds)
        self._acknowledges_itself = acknowledges_itself
        self._drain_timeout_seconds = drain_timeout_seconds
        self._stopping = asyncio.Event()
        self.is_consuming = False

    async def run(self) -> None:
        """A background task: ends after `stop()`, once the batch in hand is done."""
        while not self._stopping.is_set():
            connection = await open_connection_patiently(self._url, f"{self._name}.consume.{self._queue.name}")
            try:
                await self._consume(await within(CALL_SECONDS, connection.channel()))
            except BROKER_ERRORS as error:
                log.warning("consumer.connection_lost", queue=self._queue.name, error=repr(error))
                await asyncio.sleep(0.5)
            finally:
                self.is_consuming = False
                await close(connection)

    def stop(self) -> None:
        """Take no more messages."""
        self._stopping.set()

    async def park(self, delivery: Delivery, reason: str) -> None:
        """Put a poison message aside with the reason, then acknowledge it."""
        log.error("message.parked", queue=self._queue.name, message_id=delivery.message_id, reason=reason)
        headers: dict[str, str | int] = {"x-parked-reason": reason[:500], "x-parked-type": delivery.type}
        for key, value in delivery.headers.items():
            # A client that sends `x-death` back gets its message held for ever by RabbitMQ 3.10 (BROKER.md).
            if not key.startswith(("x-death", "x-first-death", "x-last-death", "x-delivery")):
                headers[key] = value if isinstance(value, int) else str(value)
        try:
            await self._parking.publish(
                Outgoing(
                    f"parked.{self._queue.name}", delivery.body, delivery.message_id, delivery.message_time, headers
                )
            )
        except BrokerUnavailableError:
            await delivery.requeue()
            return
        metrics.PARKED.labels(self._queue.name).inc()
        await delivery.ack()

    async def _consume(self, channel: AbstractChannel) -> None:
        await within(CALL_SECONDS, channel.set_qos(prefetch_count=self._prefetch))
        await within(CALL_SECONDS, channel.declare_queue(self._queue.name, passive=True))
        buffer: asyncio.Queue[Delivery] = asyncio.Queue()
        unsettled = _Unsettled()

        # One layer below aio-pika, which would make a second task for each message.
        below = await channel.get_underlay_channel()

        async def take(message: DeliveredMessage) -> None:
            unsettled.count += 1
            buffer.put_nowait(Delivery(message, unsettled.settle))

        tag = (await within(CALL_SECONDS, below.basic_consume(self._queue.name, take))).consumer_tag
        assert tag is not None
        self.is_consuming = True
        log.info("consumer.started", queue=self._queue.name)
        worker = asyncio.create_task(self._work(buffer))
        watchers = [
            asyncio.ensure_future(channel.closed()),
            asyncio.create_task(self._stopping.wait()),
            asyncio.create_task(self._watch(channel)),
        ]
        try:
            done, _ = await asyncio.wait([worker, *watchers], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if self._stopping.is_set() and not channel.is_closed:
                await within(CALL_SECONDS, below.basic_cancel(tag))
                await self._drain(buffer, unsettled)
        finally:
            self.is_consuming = False
            for task in (worker, *watchers):
                task.cancel()
            await asyncio.gather(worker, *watchers, return_exceptions=True)

    async def _watch(self, channel: AbstractChannel) -> None:
        """A queue that is deleted under us cancels the consumer without closing the channel; asking for it closes it."""
        while True:
            await asyncio.sleep(5)
            await within(CALL_SECONDS, channel.declare_queue(self._queue.name, passive=True))

    async def _drain(self, buffer: asyncio.Queue[Delivery], unsettled: _Unsettled) -> None:
        """Give back what has not been begun, then wait for what has."""
        while not buffer.empty():
            await buffer.get_nowait().requeue()
        deadline = time.monotonic() + self._drain_timeout_seconds
        while unsettled.count > 0 and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    async def _work(self, buffer: asyncio.Queue[Delivery]) -> None:
        while True:
            batch = await self._collect(buffer)
            # Shielded: a batch is never cut between its commit and its acknowledgements.
            handling = asyncio.create_task(self._handle(batch))
            try:
                await asyncio.shield(handling)
            except asyncio.CancelledError:
                await handling
                raise

    async def _collect(self, buffer: asyncio.Queue[Delivery]) -> list[Delivery]:
        batch = [await buffer.get()]
        if buffer.qsize() < self._batch_size:
            # One pause for the whole batch: to wait for each message costs a timer per message.
            await self._pace.wait()
        while len(batch) < self._batch_size and not buffer.empty():
            batch.append(buffer.get_nowait())
        return batch

    async def _handle(self, batch: list[Delivery]) -> None:
        started = time.perf_counter()
        if tracing.is_on():
            # Before the work: it may start steps of its own, such as a webhook of an event whose id is the message's.
            for delivery in batch:
                tracing.remember(delivery.message_id, context.accept_traceparent(delivery.traceparent))
        try:
            await self._attempt(batch)
        except TRANSIENT_ERRORS:
            # Only while stopping: otherwise `_attempt` goes on for as long as it takes.
            for delivery in batch:
                await delivery.requeue()
        except MalformedMessageError as error:
            await self._one_by_one(batch, error)
        except Exception as error:
            log.exception("batch.failed", queue=self._queue.name, size=len(batch))
            await self._one_by_one(batch, error)
        else:
            if not self._acknowledges_itself:
                # All that came before the last one is settled: batches are worked one after the other, in order.
                await batch[-1].ack(with_all_before=batch[:-1])
            metrics.MESSAGES.labels(self._queue.name, "worked").inc(len(batch))
            if tracing.is_on():
                self._trace(batch, time.perf_counter() - started)
        metrics.BATCH_SECONDS.labels(self._queue.name).observe(time.perf_counter() - started)

    def _trace(self, batch: list[Delivery], seconds: float) -> None:
        for delivery in batch:
            tracing.record(
                f"{self._queue.name} {delivery.type}", "consumer", seconds=seconds,
                span=tracing.recall(delivery.message_id), parent=delivery.traceparent,
                attributes={"messaging.message.id": delivery.message_id, "messaging.batch.message_count": len(batch)},
            )  # fmt: skip

    async def _attempt(self, batch: list[Delivery]) -> None:
        if len(batch) == 1:
            context.request_id.set(batch[0].request_id)
            context.traceparent.set(context.accept_traceparent(batch[0].traceparent))
        async for attempt in AsyncRetrying(
            stop=self._is_giving_up,
            wait=wait_random_exponential(multiplier=0.05, max=2),
            retry=retry_if_exception_type(TRANSIENT_ERRORS),
            reraise=True,
        ):
            with attempt:
                await self._handler(batch)

    def _is_giving_up(self, _state: RetryCallState) -> bool:
        return self._stopping.is_set()

    async def _one_by_one(self, batch: list[Delivery], error: Exception) -> None:
        if len(batch) > 1:
            for delivery in batch:
                await self._handle([delivery])
            return
        (delivery,) = batch
        if isinstance(error, MalformedMessageError):
            await self.park(delivery, str(error))
            return
        metrics.MESSAGES.labels(self._queue.name, "failed").inc()
        await asyncio.sleep(REQUEUE_PAUSE_SECONDS)
        await delivery.requeue()


async def queue_depths(url: str, names: Sequence[str]) -> dict[str, tuple[int, int]]:
    """`{queue: (messages ready, consumers)}` as the broker says now; a queue that does not exist is left out.

    Raises:
        BrokerUnavailableError: the broker cannot be asked.
    """
    try:
        connection = await within(2, open_connection(url, "queue-depths"))
    except BROKER_ERRORS as error:
        raise BrokerUnavailableError from error
    try:
        return await within(3, _depths(connection, names))
    except BROKER_ERRORS as error:
        raise BrokerUnavailableError from error
    finally:
        await close(connection)


async def _depths(connection: AbstractConnection, names: Sequence[str]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    channel = await connection.channel()
    for name in names:
        try:
            result = (await channel.declare_queue(name, passive=True)).declaration_result
        except ChannelNotFoundEntity:
            channel = await connection.channel()
            continue
        found[name] = (result.message_count or 0, result.consumer_count or 0)
    return found
