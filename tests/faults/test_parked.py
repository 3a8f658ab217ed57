"""A parked message can be looked at, and one command sends it to be tried again without its history."""

from __future__ import annotations

from datetime import UTC, datetime

import aio_pika
import pytest

from gateway_common.broker.topology import PROCESSOR_CHARGES
from gateway_local import parking
from gateway_local.fixtures import MakeSandbox
from gateway_local.problems import Problem
from gateway_local.sandbox import Sandbox

SENT_AT = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    return make_sandbox()


async def park_one(url: str) -> None:
    message = aio_pika.Message(
        b"{}",
        message_id="evt_1234567890123456",
        type=f"parked.{PROCESSOR_CHARGES.name}",
        timestamp=SENT_AT,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        headers={
            "x-parked-reason": "not JSON",
            "x-parked-type": "payment.created",
            "x-request-id": "r1",
            "x-death-note": "y",
        },
    )
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.default_exchange.publish(message, PROCESSOR_CHARGES.parked_name)


async def test_replay_brings_it_back_as_it_was_first_sent(sandbox: Sandbox) -> None:
    url = sandbox.broker_url("operator")
    await park_one(url)
    for _ in range(30):  # looking does not wear it out
        (seen,) = await parking._look(url, 10)
    assert (seen.message_id, seen.type, seen.reason) == ("evt_1234567890123456", "payment.created", "not JSON")
    assert await parking._replay(url, PROCESSOR_CHARGES.name, 100) == 1
    async with await aio_pika.connect(url) as connection:
        queue = await (await connection.channel()).get_queue(PROCESSOR_CHARGES.name, ensure=False)
        message = await queue.get(no_ack=True)
    assert (message.message_id, message.type, message.timestamp) == (seen.message_id, "payment.created", SENT_AT)
    # The count of deliveries is the quorum queue's own.
    assert {key: value for key, value in message.headers.items() if key != "x-delivery-count"} == {"x-request-id": "r1"}
    assert await parking._look(url, 10) == []


async def test_a_queue_that_is_none_of_ours_is_named(sandbox: Sandbox) -> None:
    with pytest.raises(Problem, match=r"webhooks\.plan\.parked"):
        await parking._replay(sandbox.broker_url("operator"), "nonsense", 1)
