"""The client against hostile and broken servers: nothing but the vetted address is ever connected to."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from gateway_common.clock import SystemClock
from webhooks.delivery.resolver import VettedResolver
from webhooks.delivery.sender import Answer, Sender
from webhooks.domain.targets import TargetPolicy


class Trap:
    """Listens on loopback and counts connections; answers with whatever bytes it was given, then does `after`."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        self.drip_seconds = 0.0
        self.closes_idle = False
        self.port = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                for start in range(0, len(self.answer), 1 if self.drip_seconds else len(self.answer)):
                    writer.write(self.answer[start : start + (1 if self.drip_seconds else len(self.answer))])
                    await writer.drain()
                    await asyncio.sleep(self.drip_seconds)
                if self.closes_idle:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def trap() -> AsyncIterator[Trap]:
    made = Trap()
    listening = await asyncio.start_server(made.take, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()


class Names:
    """A name server under the enemy's control: each look-up takes the next answer; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, _host: str) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def send(url: str, names: Names | None = None, *, allow_private: bool = True, timeout_s: float = 1.0) -> Answer:
    policy = TargetPolicy(allow_private)
    resolver = VettedResolver(policy, names) if names else VettedResolver(policy)
    sender = Sender(policy, resolver, SystemClock(), timeout_s)
    try:
        return await sender.send(url, {"X-Webhook-Id": "evt_1"}, b"{}")
    finally:
        await sender.close()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "017700000001",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "0.0.0.0",
        "user@127.0.0.1",
    ],
)
async def test_loopback_in_any_spelling_is_not_connected(trap: Trap, host: str) -> None:
    answer = await send(f"http://{host}:{trap.port}/", allow_private=False)
    assert answer.error is not None
    assert answer.error.startswith("target refused")
    assert trap.connections == 0


async def test_a_name_that_leads_to_loopback_is_not_connected(trap: Trap) -> None:
    answer = await send(f"http://innocent.example:{trap.port}/", Names(["127.0.0.1"]), allow_private=False)
    assert answer.error is not None
    assert "target refused" in answer.error
    assert trap.connections == 0


async def test_a_rebinding_name_is_asked_once_and_its_second_answer_never_used(trap: Trap) -> None:
    names = Names(["203.0.114.1"], ["127.0.0.1"])  # first a public address that does not answer, then loopback
    answer = await send(f"http://rebind.example:{trap.port}/", names, allow_private=False, timeout_s=0.5)
    assert answer.error is not None
    assert names.asked == 1
    assert trap.connections == 0
    # The other way round: vetted loopback is connected to although the name says something else by then.
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    answer = await send(f"http://rebind.example:{trap.port}/", names)
    assert (answer.response_code, answer.timings.address, names.asked) == (200, "127.0.0.1", 1)
    assert f"Host: rebind.example:{trap.port}".encode() in trap.requests[0]


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_redirects_are_failures_and_not_followed(trap: Trap, code: int) -> None:
    inner = Trap()
    listening = await asyncio.start_server(inner.take, "127.0.0.1", 0)
    target = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/latest/meta-data"
    trap.answer = f"HTTP/1.1 {code} Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()
    answer = await send(f"http://127.0.0.1:{trap.port}/")
    assert answer.response_code == code
    assert not answer.is_success
    assert inner.connections == 0
    listening.close()


async def test_a_dripping_answer_is_cut_at_the_timeout(trap: Trap) -> None:
    trap.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000
    trap.drip_seconds = 0.05
    started = time.monotonic()
    answer = await send(f"http://127.0.0.1:{trap.port}/", timeout_s=0.5)
    assert answer.error == "timeout"
    assert time.monotonic() - started < 1.5


async def test_a_huge_answer_is_read_only_so_far(trap: Trap) -> None:
    trap.answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"y" * 5_000_000
    answer = await send(f"http://127.0.0.1:{trap.port}/")
    assert answer.is_success
    assert answer.response_body == "y" * 1000


@pytest.mark.parametrize(
    ("raw", "start"),
    [
        (b"not http at all\r\n\r\n", "the answer cannot be read"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"z" * 20_000 + b"\r\n\r\n", "the answer cannot be read"),
    ],
)
async def test_nonsense_is_a_failure(trap: Trap, raw: bytes, start: str) -> None:
    trap.answer = raw
    answer = await send(f"http://127.0.0.1:{trap.port}/")
    assert answer.error is not None
    assert answer.error.startswith(start)


async def test_nobody_there_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    answer = await send(f"http://127.0.0.1:{port}/")
    assert answer.error is not None
    assert answer.error.startswith("connection failed")
    missing = await send("http://no-such-name.invalid/")
    assert missing.error == "the host name was not found"


async def test_an_idle_connection_that_was_closed_is_not_a_failure(trap: Trap) -> None:
    trap.closes_idle = True
    policy = TargetPolicy(allow_private=True)
    sender = Sender(policy, VettedResolver(policy), SystemClock(), 2.0)
    answers = [await sender.send(f"http://127.0.0.1:{trap.port}/", {}, b"{}") for _ in range(5)]
    await sender.close()
    assert [answer.response_code for answer in answers] == [200] * 5


async def test_connections_are_reused(trap: Trap) -> None:
    policy = TargetPolicy(allow_private=True)
    sender = Sender(policy, VettedResolver(policy), SystemClock(), 2.0)
    first, second = [await sender.send(f"http://127.0.0.1:{trap.port}/", {}, b"{}") for _ in range(2)]
    await sender.close()
    assert trap.connections == 1
    assert (first.timings.connect_ms is None, second.timings.connect_ms is None) == (False, True)
    assert second.timings.address == "127.0.0.1"


async def test_certificates_are_verified(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    _make_certificate(key, certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    trap = Trap()
    listening = await asyncio.start_server(trap.take, "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]
    answer = await send(f"https://localhost:{port}/")
    listening.close()
    assert answer.error is not None
    assert answer.error.startswith("TLS failed")
    assert trap.requests == []


def _make_certificate(key: Path, certificate: Path) -> None:
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(
        ["openssl", "req", "-x509", *curve, "-nodes", "-days", "1", "-subj", "/CN=localhost", *files],
        check=True,
        capture_output=True,
    )
