"""The publisher when its line to the broker goes silent, or the broker stops reading it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from gateway_common.broker import publisher as module
from gateway_common.broker.batches import Outgoing
from gateway_common.broker.publisher import Publisher
from gateway_common.broker.topology import MARKER_QUEUES, Exchange
from gateway_common.errors import BrokerUnavailableError
from gateway_common.ids import new_event_id
from gateway_local.faults.proxy import Line
from gateway_local.sandbox import Sandbox

MARKER = MARKER_QUEUES[Exchange.PAYMENTS]


def marker() -> Outgoing:
    return Outgoing(MARKER.bindings[0].routing_key, b"{}", new_event_id(), datetime.now(UTC))


@pytest.fixture
async def line(sandbox: Sandbox) -> AsyncIterator[Line]:
    made = Line(lambda: urlsplit(sandbox.broker_url("payments")).port or 0)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def publisher(sandbox: Sandbox, line: Line, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Publisher]:
    monkeypatch.setattr(module, "CONFIRM_TIMEOUT_SECONDS", 0.5)
    url = sandbox.broker_url("payments")
    made = Publisher(url.replace(f":{urlsplit(url).port}", f":{line.port}"), Exchange.PAYMENTS, "test")
    yield made
    await made.close()


@pytest.mark.parametrize("is_publishing", [False, True])
async def test_asking_for_a_count_ends_when_the_line_is_silent(
    publisher: Publisher, line: Line, is_publishing: bool
) -> None:
    """The relay's look for its marker hung for ever here, and never saw an emptied broker again."""
    await publisher.publish(marker())
    line.cut()
    asking = [asyncio.create_task(publisher.message_count(MARKER.name))]
    if is_publishing:  # it gives up first, and closes the connection that the others wait for
        await asyncio.sleep(0.1)
        asking.append(asyncio.create_task(publisher.publish(marker())))
        await asyncio.sleep(0.45)
        asking.append(asyncio.create_task(publisher.message_count(MARKER.name)))
    began = time.monotonic()
    done, pending = await asyncio.wait(asking, timeout=15)
    assert not pending
    assert time.monotonic() - began < 13
    assert all(isinstance(task.exception(), BrokerUnavailableError) for task in done)

    line.mend()
    await asyncio.sleep(0.5)
    assert await publisher.message_count(MARKER.name) is not None
    await publisher.publish(marker())
