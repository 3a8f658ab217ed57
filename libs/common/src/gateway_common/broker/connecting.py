"""Open a connection to RabbitMQ, waiting for one that is still starting.

`connect_robust` is not used: it raises on the first failure, waits a fixed time, and re-declares with remembered
arguments (BROKER.md). Here whoever needs a connection opens it, and its owner's loop opens the next one.
"""

from __future__ import annotations

import aio_pika
from aio_pika.abc import AbstractConnection
from aiormq.exceptions import AMQPError
from tenacity import AsyncRetrying, retry_if_exception_type, stop_never, wait_random_exponential

HEARTBEAT_SECONDS = 30

# What aio-pika and its parts raise when the broker is gone, refuses, or closes a channel.
BROKER_ERRORS = (AMQPError, OSError, TimeoutError, RuntimeError, aio_pika.exceptions.AMQPException)


async def open_connection(url: str, name: str) -> AbstractConnection:
    """One attempt; raises one of `BROKER_ERRORS`."""
    return await aio_pika.connect(
        url, client_properties={"connection_name": name}, timeout=5, heartbeat=HEARTBEAT_SECONDS
    )


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
