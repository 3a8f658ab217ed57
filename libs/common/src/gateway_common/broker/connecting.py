"""Open a connection to RabbitMQ, waiting for one that is still starting.

`connect_robust` is not used: it raises on the first failure, waits a fixed time, and re-declares with remembered
arguments (BROKER.md). Here whoever needs a connection opens it, and its owner's loop opens the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, TypeVar

import aio_pika
from aio_pika.abc import AbstractConnection
from aiormq.exceptions import AMQPError
from tenacity import AsyncRetrying, retry_if_exception_type, stop_never, wait_random_exponential

HEARTBEAT_SECONDS = 30
CONNECT_SECONDS = 5.0
CALL_SECONDS = 10.0
CLOSE_SECONDS = 3.0

T = TypeVar("T")

# What aio-pika and its parts raise when the broker is gone, refuses, or closes a channel.
BROKER_ERRORS = (AMQPError, OSError, TimeoutError, RuntimeError, aio_pika.exceptions.AMQPException)


async def within(seconds: float, call: Awaitable[T]) -> T:
    """The result of a call of aio-pika; `TimeoutError` after `seconds`, whatever the call makes of that.

    Few of its calls have a timeout. One whose answer does not come (a silent line, or a broker under an alarm, which reads no
    publisher's connection) waits for ever, even when its connection is closed meanwhile, and may swallow its cancellation:
    it is left behind. A broker that hangs up is a `ConnectionError`, whatever aiormq calls it.
    """
    task = asyncio.ensure_future(call)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if task.done():
            return _result(task)
    finally:
        if not task.done():
            task.add_done_callback(_take_notice)
            task.cancel()
    raise TimeoutError(f"RabbitMQ did not answer for {seconds:g} s")


def _result(task: asyncio.Future[T]) -> T:
    try:
        return task.result()
    except (StopAsyncIteration, EOFError) as error:  # in the middle of the greeting
        raise ConnectionError("RabbitMQ hung up") from error
    except Exception as error:
        if type(error) is Exception:  # while a call waited for its answer
            raise ConnectionError("RabbitMQ hung up") from error
        raise


def _take_notice(task: asyncio.Future[Any]) -> None:
    """Of the exception of a call that was left behind, which nobody asks for."""
    if not task.cancelled():
        task.exception()


async def open_connection(url: str, name: str) -> AbstractConnection:
    """One attempt; raises one of `BROKER_ERRORS`."""
    opening = aio_pika.connect(
        url, client_properties={"connection_name": name}, timeout=CONNECT_SECONDS, heartbeat=HEARTBEAT_SECONDS
    )
    return await within(CONNECT_SECONDS + CLOSE_SECONDS, opening)


async def close(connection: AbstractConnection) -> None:
    """Quietly, and whatever state it is in."""
    with suppress(*BROKER_ERRORS):
        await within(CLOSE_SECONDS, connection.close())


async def open_connection_patiently(url: str, name: str) -> AbstractConnection:
    """As many attempts as it takes, with random, growing pauses of at most 3 s."""
    async for attempt in AsyncRetrying(
        stop=stop_never,
        wait=wait_random_exponential(multiplier=0.1, max=3),
        retry=retry_if_exception_type(BROKER_ERRORS),
    ):
        with attempt:
            return await open_connection(url, name)
    raise AssertionError("unreachable: the loop above never stops")
