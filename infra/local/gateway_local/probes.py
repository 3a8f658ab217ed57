"""Cheap questions that tell whether a process is well. Each answers False instead of raising."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable

from gateway_local.ports import LOOPBACK
from gateway_local.processes import Probe

TIMEOUT_S = 2.0
PASSWORD_ASKED = b"R"  # AuthenticationRequest: PostgreSQL would take the session; 'E' says it is starting up


def http(port: int, path: str, accepted: Callable[[int], bool]) -> Probe:
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()

    def judge(answer: bytes) -> bool:
        words = answer.split(b" ", 2)
        return len(words) > 1 and words[1].isdigit() and accepted(int(words[1]))

    return _ask(port, request, judge)


def ready_service(port: int) -> Probe:
    return http(port, "/readyz", lambda status: status == 200)


def edge(port: int) -> Probe:
    """The edge answers 404 for /readyz by itself; that it answers at all is what counts."""
    return http(port, "/readyz", lambda status: status == 404)


def postgres(port: int) -> Probe:
    parameters = b"user\0postgres\0database\0postgres\0\0"
    startup = struct.pack("!ii", len(parameters) + 8, 196608) + parameters  # protocol 3.0
    return _ask(port, startup, lambda answer: answer[:1] == PASSWORD_ASKED)


def redis(port: int) -> Probe:
    """NOAUTH is a healthy answer; LOADING and MASTERDOWN are not."""
    return _ask(port, b"PING\r\n", lambda answer: answer.startswith((b"+PONG", b"-NOAUTH")))


def rabbitmq(port: int) -> Probe:
    """The broker opens its port when it has booted, and answers the header with Connection.Start."""
    return _ask(port, b"AMQP\x00\x00\x09\x01", lambda answer: answer[:1] == b"\x01")


def listens(port: int) -> Probe:
    return _ask(port, b"", lambda _: True)


def _ask(port: int, question: bytes, judge: Callable[[bytes], bool]) -> Probe:
    async def talk() -> bool:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        try:
            if not question:
                return True
            writer.write(question)
            await writer.drain()
            return judge(await reader.read(64))
        finally:
            writer.close()

    async def probe() -> bool:
        try:
            return await asyncio.wait_for(talk(), TIMEOUT_S)
        except (OSError, TimeoutError):
            return False

    return probe
