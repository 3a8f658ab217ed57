"""The proxy that cuts, delays and throttles does what it says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from gateway_local.faults.proxy import Line


@pytest.fixture
async def echo_port() -> AsyncIterator[int]:
    """A server that sends back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1024):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture
async def line(echo_port: int) -> AsyncIterator[Line]:
    line = Line(lambda: echo_port)
    await line.start()
    yield line
    await line.stop()


async def say(line: Line, text: bytes = b"hello") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
    try:
        writer.write(text)
        return await asyncio.wait_for(reader.readexactly(len(text)), 2)
    finally:
        writer.close()


async def test_a_perfect_line_is_not_noticed(line: Line) -> None:
    assert await say(line, b"x" * 100_000) == b"x" * 100_000


async def test_a_delay_counts_in_each_direction(line: Line) -> None:
    line.conditions.delay_s = 0.1
    started = time.monotonic()
    await say(line)
    assert 0.2 <= time.monotonic() - started < 0.6


async def test_a_throttled_line_takes_its_time(line: Line) -> None:
    line.conditions.bytes_per_s = 10_000
    started = time.monotonic()
    await say(line, b"x" * 2_000)
    assert time.monotonic() - started >= 0.2


async def test_a_cut_line_is_silent_and_resets_what_was_open_when_mended(line: Line) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
    writer.write(b"before")
    assert await reader.readexactly(6) == b"before"
    line.cut()
    writer.write(b"during")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.readexactly(1), 0.2)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(say(line), 0.2)
    line.mend()
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await asyncio.wait_for(reader.readexactly(1), 1)
    assert await say(line) == b"hello"
    writer.close()


async def test_a_line_follows_its_target(line: Line, echo_port: int) -> None:
    nowhere = Line(lambda: ports.pop())
    ports = [echo_port, 1]
    await nowhere.start()
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await say(nowhere)
    assert await say(nowhere) == b"hello"
    await nowhere.stop()
