"""Messages of the broker reach the windows, and a broker that was away is noticed."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import aio_pika
import orjson
import pytest
from aiormq.exceptions import ChannelAccessRefused

from dashboard.live.feed import LiveFeed
from dashboard.live.hub import Change, Hub, Stream
from gateway_local.sandbox import Sandbox

MINE, THEIRS = uuid4(), uuid4()


def _event(merchant_id: UUID, payment_id: str) -> bytes:
    payment = {"id": payment_id, "order_id": "order_1", "amount": 50_000, "currency": "INR", "status": "success"}
    return orjson.dumps({"merchant_id": str(merchant_id), "sequence": 3, "payment": payment})


class Cable:
    """A TCP connection to the broker that a test can cut."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._writers: list[asyncio.StreamWriter] = []

    async def plug_in(self) -> str:
        """The address to use instead of the broker's own."""
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        netloc = self._target.netloc.rpartition("@")[0] + f"@{host}:{port}"
        return urlunsplit(self._target._replace(netloc=netloc))

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def unplug(self) -> None:
        self.cut()
        self._server.close()
        await self._server.wait_closed()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._target.hostname, self._target.port)
        self._writers += [writer, back]
        await asyncio.gather(_pump(reader, back), _pump(there, writer), return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def _listening(feed: LiveFeed) -> None:
    async with asyncio.timeout(10):
        while not feed.is_listening:
            await asyncio.sleep(0.02)


async def test_events_reach_their_merchants_windows_also_after_a_lost_connection(sandbox: Sandbox) -> None:
    hub = Hub()
    cable = Cable(sandbox.broker_url("dashboard"))
    feed = LiveFeed(await cable.plug_in(), hub)
    task = asyncio.create_task(feed.run())
    mine, theirs = Stream(MINE, b"a", ["payments"]), Stream(THEIRS, b"b", ["payments"])
    connection = await aio_pika.connect(sandbox.broker_url("operator"))
    try:
        hub.open(mine)
        hub.open(theirs)
        assert await mine.next(10) == Change("resync")
        assert await theirs.next(10) == Change("resync")
        await _listening(feed)
        channel = await connection.channel()
        exchange = await channel.get_exchange("payments", ensure=False)
        await exchange.publish(aio_pika.Message(b"not json"), "payment.success")
        await exchange.publish(aio_pika.Message(_event(MINE, "pay_1")), "payment.success")
        change = await mine.next(5)
        assert change is not None
        assert change.data["id"] == "pay_1"
        assert await theirs.next(0.05) is None

        # What a restart of the broker does: the connection is gone, and the queue with it.
        cable.cut()
        assert await mine.next(10) == Change("resync")
        await _listening(feed)
        await exchange.publish(aio_pika.Message(_event(MINE, "pay_2")), "payment.failed")
        change = await mine.next(5)
        assert change is not None
        assert change.data["id"] == "pay_2"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connection.close()
        await cable.unplug()


async def test_the_feed_may_not_read_other_services_queues(sandbox: Sandbox) -> None:
    connection = await aio_pika.connect(sandbox.broker_url("dashboard"))
    async with connection:
        channel = await connection.channel()
        queue = await channel.get_queue("payments.results", ensure=False)
        with pytest.raises(ChannelAccessRefused):
            await queue.get(fail=False)
