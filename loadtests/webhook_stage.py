"""What the webhook load tests share: a fast receiver, a worker process that samples itself, events to publish.

Everything runs on this machine's loopback, on private servers: those of GATEWAY_TEST_RUN_DIR when it is set, otherwise
started for the run and taken away afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import orjson
import psutil

from gateway_common.auth.secrets import new_webhook_secret
from gateway_common.broker.batches import Outgoing
from gateway_common.broker.publisher import Publisher
from gateway_common.clock import SystemClock, to_iso
from gateway_common.database import Database
from gateway_common.ids import new_event_id, new_payment_id
from gateway_local import operations
from gateway_local.installation import Installation
from gateway_local.layout import Layout
from gateway_local.ports import free_offset
from gateway_local.sandbox import Sandbox, Sandboxes
from gateway_local.state import Wishes
from webhooks.bootstrap import make_sealer
from webhooks.repositories.endpoints import EndpointRepository
from webhooks.settings import Settings

CLOCK = SystemClock()
_ROOT = Path(__file__).resolve().parents[1]


@contextlib.contextmanager
def private_sandbox() -> Iterator[Sandbox]:
    """A fresh database and virtual host for the run."""
    shared = os.environ.get("GATEWAY_TEST_RUN_DIR")
    run = Path(shared) if shared else Path(tempfile.mkdtemp(prefix="gateway-load-"))
    environ = {**os.environ, "GATEWAY_RUN_DIR": str(run)}
    if not shared:
        run.chmod(0o755)
        environ["GATEWAY_PORT_OFFSET"] = str(free_offset())
    layout = Layout.from_environment(environ)
    try:
        if shared:
            installation = operations.open_running(layout, environ)
        else:
            layout.create()
            Wishes(services=False).save(layout.wishes)
            process = operations.spawn(layout, environ, tether=True)
            state = operations.wait_until_ready(layout, process, lambda _: None)
            installation = Installation.open(environ, ports=state.ports)
        sandboxes = Sandboxes(installation)
        try:
            yield sandboxes.make("webhooks")
        finally:
            sandboxes.remove_all()
    finally:
        if not shared:
            operations.stop(layout)
            shutil.rmtree(run, ignore_errors=True)


def worker_environment(sandbox: Sandbox, **overrides: str) -> dict[str, str]:
    own = {"WEBHOOK_ALLOW_PRIVATE_TARGETS": "true", "LOG_LEVEL": "INFO", "PORT": str(_free_port()), **overrides}
    return {**os.environ, **sandbox.environment("webhooks-worker", **own)}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def settings_of(sandbox: Sandbox) -> Settings:
    values: Any = {name.lower(): value for name, value in sandbox.environment("webhooks-worker", PORT="8013").items()}
    return Settings(**values)


class WorkerProcess:
    """One `webhooks worker`, started through this file so that it samples where its time goes."""

    def __init__(self, sandbox: Sandbox, folder: Path, **overrides: str) -> None:
        self.shares = folder / "shares.json"
        self._log = (folder / "worker.log").open("wb")
        environ = worker_environment(sandbox, **overrides) | {"WORKER_SHARES": str(self.shares)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "loadtests.webhook_stage"],
            env=environ,
            cwd=_ROOT,
            stdout=self._log,
            stderr=self._log,
        )

    def stop(self) -> dict[str, float]:
        """Drains it; returns the share of its busy time by part, as sampled."""
        self.process.terminate()
        self.process.wait(30)
        self._log.close()
        shares: dict[str, float] = orjson.loads(self.shares.read_bytes())
        return shares


@dataclass
class Receiver(asyncio.Protocol):
    """The fastest HTTP server that will do: reads requests with Content-Length, answers 200, notes each event's arrival.

    A path that begins with `/hang` is answered after 30 s.
    """

    arrivals: dict[str, list[float]] = field(default_factory=dict)
    total: int = 0

    def __call__(self) -> _Connection:
        return _Connection(self)

    def note(self, event_id: str) -> None:
        self.total += 1
        self.arrivals.setdefault(event_id, []).append(time.time())


_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class _Connection(asyncio.Protocol):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            lowered = head.lower()
            length = int(lowered.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            path = head.split(b" ", 2)[1]
            event_id = lowered.find(b"x-webhook-id:")
            self._answer(path, head[event_id + 13 :].split(b"\r\n", 1)[0].strip().decode())

    def _answer(self, path: bytes, event_id: str) -> None:
        loop = asyncio.get_running_loop()
        if path.startswith(b"/hang"):
            loop.call_later(30, self._write)
        else:
            self._receiver.note(event_id)
            loop.call_later(0.005, self._write)

    def _write(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_ANSWER)


async def add_merchant(database: Database, settings: Settings, url: str) -> UUID:
    """A merchant whose default endpoint has that URL."""
    merchant_id = uuid4()
    async with database.connection() as connection:
        await EndpointRepository(database, make_sealer(settings)).add(
            connection, merchant_id, CLOCK.now(), url=url, is_default=True, secret=new_webhook_secret()
        )
    return merchant_id


def payment_event(merchant_id: UUID) -> Outgoing:
    now = CLOCK.now()
    payment = {
        "id": new_payment_id(),
        "order_id": "order_test_123",
        "amount": 50_000,
        "currency": "INR",
        "method": "upi",
        "vpa": "user@paytm",
        "status": "success",
        "captured": False,
        "amount_captured": 0,
        "amount_refunded": 0,
        "refund_status": None,
        "error_code": None,
        "error_description": None,
        "notes": {"cart": "4711"},
        "created_at": to_iso(now),
        "updated_at": to_iso(now),
    }
    body = {"merchant_id": str(merchant_id), "sequence": 3, "occurred_at": now.isoformat(), "payment": payment}
    return Outgoing("payment.success", orjson.dumps(body), new_event_id(), now)


async def publish_many(publisher: Publisher, messages: list[Outgoing]) -> None:
    for start in range(0, len(messages), 500):
        assert all(await publisher.publish_all(messages[start : start + 500])), "the broker refused messages"


async def count_statuses(database_url: str) -> dict[str, int]:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT status, count(*) AS count FROM deliveries GROUP BY status")
        return {row["status"]: row["count"] for row in rows}
    finally:
        await connection.close()


def cpu_seconds_by_owner(worker_pid: int) -> dict[str, float]:
    """CPU seconds so far: the worker, PostgreSQL, RabbitMQ, and this process (publisher and receiver)."""
    used: Counter[str] = Counter()
    for process in psutil.process_iter(["pid", "name", "cpu_times"]):
        times = process.info["cpu_times"]
        name = process.info["name"] or ""
        if times is None:
            continue
        if process.info["pid"] == worker_pid:
            owner = "webhooks worker"
        elif name.startswith("postgres"):
            owner = "PostgreSQL"
        elif name.startswith("beam"):
            owner = "RabbitMQ"
        elif process.info["pid"] == os.getpid():
            owner = "load generator and receiver"
        else:
            continue
        used[owner] += times.user + times.system
    return dict(used)


# Innermost frame first: the first part whose name is in the file's path owns the sample.
_PARTS = (
    ("structlog", "logging"),
    ("/logs.py", "logging"),
    ("domain/signing", "signing"),
    ("domain/javascript_json", "rendering bodies"),
    ("domain/event_bodies", "rendering bodies"),
    ("sealing", "opening secrets"),
    ("asyncpg", "PostgreSQL driver"),
    ("aiormq", "RabbitMQ driver"),
    ("aio_pika", "RabbitMQ driver"),
    ("aiohttp", "HTTP client"),
    ("yarl", "HTTP client"),
    ("multidict", "HTTP client"),
    ("delivery/sender", "HTTP client"),
    ("delivery/recorder", "recording"),
    ("repositories/attempts", "recording"),
    ("planning", "planning"),
    ("pydantic", "planning"),
    ("delivery/", "engine"),
    ("repositories/", "engine"),
)


class Sampler:
    """Looks at what runs every 5 ms of CPU time (ITIMER_PROF), so that waiting counts for nothing.

    A thread would not do: it gets its turn where others let go of the interpreter's lock, and sees little else.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._seen: Counter[str] = Counter()

    def start(self) -> None:
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, 0.005, 0.005)

    def _look(self, _number: int, frame: FrameType | None) -> None:
        self._seen[_owner_of(frame)] += 1
        total = sum(self._seen.values())
        if total % 50 == 0:
            partial = self._target.with_suffix(".partial")
            partial.write_bytes(orjson.dumps({part: count / total for part, count in self._seen.most_common()}))
            partial.replace(self._target)


def _owner_of(frame: FrameType | None) -> str:
    while frame is not None:
        path = frame.f_code.co_filename
        for needle, part in _PARTS:
            if needle in path:
                return part
        frame = frame.f_back
    return "event loop and sockets"


def _run_worker() -> None:
    from gateway_common.web.application import serve
    from webhooks.bootstrap import build_app

    Sampler(Path(os.environ["WORKER_SHARES"])).start()
    settings = Settings()
    serve(build_app(settings, "worker"), settings, "webhooks")


if __name__ == "__main__":
    _run_worker()
