"""Listens to what payments-api and refunds publish, through a queue of this process's own that goes with it.

Nothing is acknowledged and nothing is kept: the pages read the truth from the APIs, a message only says that it is
time to. While no window is open nobody listens, which spares every payment three messages. When listening begins, or begins
again after the broker was away, every window is told to look again.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any
from uuid import UUID

import orjson
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from pamqp.common import FieldValue

from dashboard.domain.amounts import format_amount
from dashboard.live.hub import Change, Hub
from gateway_common.broker.connecting import BROKER_ERRORS, CALL_SECONDS, close, open_connection_patiently, within
from gateway_common.broker.topology import Exchange
from gateway_common.logs import get_logger

log = get_logger(__name__)

_BINDINGS = (
    (Exchange.PAYMENTS, "payment.*"),
    (Exchange.REFUNDS, "refund.created"),
    (Exchange.REFUNDS, "refund.processed"),
    (Exchange.REFUNDS, "refund.failed"),
)
# A page that follows a link closes its window's stream and opens the next one.
_IDLE_SECONDS = 10.0
# What waits longer than this behind a stalled process is not news any more.
_QUEUE_ARGUMENTS: dict[str, FieldValue] = {"x-max-length": 5000, "x-overflow": "drop-head"}


class LiveFeed:
    """A background task; `is_listening` says whether changes come by push at the moment."""

    def __init__(self, url: str, hub: Hub) -> None:
        self._url = url
        self._hub = hub
        self.is_listening = False

    async def run(self) -> None:
        while True:
            connection = await open_connection_patiently(self._url, "dashboard.live")
            try:
                await self._listen(await within(CALL_SECONDS, connection.channel()))
            except BROKER_ERRORS as error:
                log.warning("live_feed.lost", error=repr(error))
                await asyncio.sleep(0.5)
            finally:
                self.is_listening = False
                await close(connection)

    async def _listen(self, channel: AbstractChannel) -> None:
        """Until the channel is closed: whenever a window is open."""
        closed = asyncio.ensure_future(channel.closed())
        try:
            while not closed.done():
                watched = asyncio.create_task(self._hub.watched.wait())
                await asyncio.wait([closed, watched], return_when=asyncio.FIRST_COMPLETED)
                watched.cancel()
                if closed.done():
                    break
                queue = await within(CALL_SECONDS, self._attach(channel))
                while self._hub.is_watched and not closed.done():
                    await asyncio.wait([closed], timeout=_IDLE_SECONDS)
                self.is_listening = False
                if not closed.done():
                    await within(CALL_SECONDS, queue.delete(if_unused=False, if_empty=False))
            await closed
        finally:
            closed.cancel()

    async def _attach(self, channel: AbstractChannel) -> AbstractQueue:
        queue = await channel.declare_queue(
            f"dashboard.live.{secrets.token_hex(8)}",
            exclusive=True,
            auto_delete=True,
            durable=False,
            arguments=_QUEUE_ARGUMENTS,
        )
        for exchange, key in _BINDINGS:
            await queue.bind(exchange.value, key)
        await queue.consume(self._take, no_ack=True)
        self.is_listening = True
        self._hub.publish_to_all(Change("resync"))
        log.info("live_feed.started")
        return queue

    async def _take(self, message: AbstractIncomingMessage) -> None:
        # Under load nearly all messages are of merchants that nobody is looking at.
        if not self._hub.is_watched:
            return
        try:
            body = orjson.loads(message.body)
            merchant_id = UUID(body["merchant_id"])
            if self._hub.watches(merchant_id):
                self._hub.publish(merchant_id, to_change(message.routing_key or "", body))
        except (ValueError, KeyError, TypeError):
            log.warning("live_feed.message_skipped", routing_key=message.routing_key)


def to_change(event: str, body: dict[str, Any]) -> Change:
    """What a window needs to announce: the ids, the state and the amount; no details of the payer."""
    if event.startswith("refund."):
        refund = body["refund"]
        return Change(
            "refunds",
            {
                "event": event,
                "id": refund["id"],
                "payment_id": refund["payment_id"],
                "status": refund["status"],
                "amount": format_amount(refund["amount"], refund["currency"]),
            },
        )
    payment = body["payment"]
    return Change(
        "payments",
        {
            "event": event,
            "id": payment["id"],
            "order_id": payment["order_id"],
            "status": payment["status"],
            "amount": format_amount(payment["amount"], payment["currency"]),
        },
    )
