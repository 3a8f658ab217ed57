"""Two thousand hostile requests of a fixed seed; `./gateway hostile` sends the twenty thousand of docs/reliability.md."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway_local.faults import siege
from gateway_local.stack import Stack

REQUESTS = 2_000


def test_hostile_requests_make_no_server_error_no_restart_and_no_leak(stack: Stack) -> None:
    found = asyncio.run(siege.besiege(stack, REQUESTS, seed=1))
    assert found.sent == REQUESTS
    assert [(server, kind, line, raw[:300]) for server, kind, line, raw in found.server_errors] == []
    assert (found.restarted, found.grown) == ([], [])
    assert found.statuses["400"] > REQUESTS / 10  # they did reach what refuses them


@pytest.mark.parametrize("slow_part", ["head", "body"])
async def test_many_slow_senders_hold_up_nobody(stack: Stack, slow_part: str) -> None:
    """Slow-loris: 300 connections that send a byte now and then. Others are served meanwhile, and the slow are cut off."""
    port = stack.process("edge").port
    start = b"POST /api/v1/payments HTTP/1.1\r\nHost: localhost\r\n"
    if slow_part == "body":
        start += b"Content-Length: 1000\r\n\r\n{"
    slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(300)]
    for _, writer in slow:
        writer.write(start)
    try:
        began = time.monotonic()
        waits = []
        while time.monotonic() - began < 5:
            for _, writer in slow:
                if not writer.is_closing():
                    writer.write(b"X" if slow_part == "head" else b" ")
            asked = time.monotonic()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert (await asyncio.wait_for(reader.readline(), 5)).split(b" ")[1] == b"200"
            writer.close()
            waits.append(time.monotonic() - asked)
            await asyncio.sleep(0.3)
        assert max(waits) < 3
        # Nothing more from them: nginx ends a head or body that stalls for 10 s.
        ended = await asyncio.wait_for(asyncio.gather(*(_read_to_end(reader) for reader, _ in slow)), 20)
        assert len(ended) == 300
    finally:
        for _, writer in slow:
            writer.transport.abort()


async def _read_to_end(reader: asyncio.StreamReader) -> bytes:
    with contextlib.suppress(ConnectionError):
        return await reader.read()
    return b""


@given(head=st.binary(max_size=300), body=st.binary(max_size=300))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_bytes_make_no_server_error(stack: Stack, head: bytes, body: bytes) -> None:
    async def exchange(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n" + body)
            writer.write_eof()
            return await asyncio.wait_for(reader.readline(), 5)
        except (ConnectionError, TimeoutError):
            return b""
        finally:
            writer.transport.abort()

    for process in ("edge", "payments-api-web"):
        line = asyncio.run(exchange(stack.process(process).port))
        assert not line.split(b" ")[1:2] or line.split(b" ")[1][:1] != b"5", line
