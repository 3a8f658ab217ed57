"""A broker that hangs up while a connection is being opened, as one that starts or stops does."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway_common.broker.connecting import BROKER_ERRORS, open_connection, within

# The frame by which RabbitMQ begins, without its end.
HALF_A_GREETING = bytes.fromhex("01 0000 0000 01f8 000a 000a 0009")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


@pytest.mark.parametrize("said", [b"", b"\x01", HALF_A_GREETING], ids=["nothing", "one byte", "half"])
async def test_a_broker_that_hangs_up_is_a_broker_error(said: bytes, listener: socket.socket) -> None:
    def hang_up() -> None:
        accepted, _ = listener.accept()
        accepted.sendall(said)
        accepted.close()

    with ThreadPoolExecutor(1) as pool:
        for _ in range(20):
            hung_up = pool.submit(hang_up)
            with pytest.raises(BROKER_ERRORS):
                await open_connection(f"amqp://guest:guest@127.0.0.1:{listener.getsockname()[1]}/", "test")
            hung_up.result()


# As the fault rounds met them: a broker that hangs up before its greeting is read, in the middle of a frame, in the middle
# of a call.
@pytest.mark.parametrize("raised", [StopAsyncIteration(), asyncio.IncompleteReadError(b"", 1), Exception()], ids=repr)
async def test_what_aiormq_makes_of_a_broker_that_hangs_up_is_a_broker_error(raised: Exception) -> None:
    async def call() -> None:
        raise raised

    with pytest.raises(BROKER_ERRORS):
        await within(1, call())


async def test_other_errors_stay_what_they_are() -> None:
    async def wrong() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await within(1, wrong())
