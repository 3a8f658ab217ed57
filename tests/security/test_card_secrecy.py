"""Number and CVV of a card are nowhere in clear: not in PostgreSQL, Redis, messages, logs, metrics or traces.

The two services that ever hold them run as real processes, with everything logged and traced.
"""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import aio_pika
import httpx
import pytest
import redis

from gateway_common.broker.topology import Exchange
from gateway_local.fixtures import MakeSandbox
from gateway_local.sandbox import Sandbox
from payments_api import seed

NUMBER = "4000056655665556"
SPELLINGS = (NUMBER, "4000 0566 5566 5556", "4000-0566-5566-5556")
CVV = "739"
HOLDER = "Zephyrine Quux"
IN_CLEAR = (*SPELLINGS, HOLDER, f'"{CVV}"', f"'{CVV}'")


class TraceCollector(ThreadingHTTPServer):
    """Takes OTLP over HTTP as a collector does, and keeps the bytes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _TraceRequest)
        self.bodies: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _TraceRequest(BaseHTTPRequestHandler):
    server: TraceCollector

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Running:
    """payments-api and the processor; `processes` are ended by the test, so that their last traces are sent."""

    api: httpx.Client
    processor: httpx.Client
    processes: list[subprocess.Popen[bytes]]
    log: Path
    traces: TraceCollector

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(timeout=30)


@pytest.fixture(scope="module")
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    return make_sandbox("payments_api", "processor")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def running(sandbox: Sandbox, tmp_path: Path) -> Iterator[Running]:
    log, collector = tmp_path / "log", TraceCollector()
    urls = {name: f"http://127.0.0.1:{free_port()}" for name in ("payments_api", "processor")}
    with ExitStack() as stack:
        stack.callback(collector.server_close)
        stack.callback(collector.shutdown)
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        output = stack.enter_context(log.open("wb"))
        processes = []
        for package, process in (("payments_api", "payments-api-worker"), ("processor", "processor")):
            settings = sandbox.environment(
                process,
                PORT=urls[package].rpartition(":")[2],
                LOG_LEVEL="DEBUG",
                TEST_PROCESSING_DELAY="0",
                OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            )
            environment = {**os.environ, **settings, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            subprocess.run([sys.executable, "-m", package, "seed"], check=True, env=environment)
            started = subprocess.Popen(
                [sys.executable, "-m", package, "all"], env=environment, stdout=output, stderr=output
            )
            processes.append(stack.enter_context(started))
            stack.callback(started.terminate)
        credentials = {"X-Api-Key": seed.API_KEY, "X-Api-Secret": seed.API_SECRET}
        api = stack.enter_context(httpx.Client(base_url=urls["payments_api"], headers=credentials))
        processor = stack.enter_context(httpx.Client(base_url=urls["processor"]))
        for client in (api, processor):
            wait_until_ready(client, log)
        yield Running(api, processor, processes, log, collector)


def wait_until_ready(client: httpx.Client, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def shown(text: str) -> list[str]:
    hidden = [base64.b64encode(needle.encode()).decode().rstrip("=") for needle in (*SPELLINGS, HOLDER)]
    return [needle for needle in (*IN_CLEAR, *hidden) if needle in text]


def pay(running: Running) -> list[str]:
    """Payments by every spelling of the number, all settled; and refused ones, whose input an error could repeat."""
    payments = []
    for number, spelling in enumerate(SPELLINGS):
        card = {"number": spelling, "expiry_month": 12, "expiry_year": 2099, "cvv": CVV, "holder_name": HOLDER}
        body = {"order_id": f"card-{number}", "amount": 50_000, "method": "card", "card": card}
        made = running.api.post("/api/v1/payments", json=body, headers={"Idempotency-Key": f"secret-{number}"})
        assert (made.status_code, made.json()["card_last4"]) == (201, "5556")
        assert not shown(made.text)
        payments.append(made.json()["id"])
    wrong = {**card, "expiry_month": 13}
    for refused_body in (
        {"order_id": seed.ORDER_ID, "method": "card", "card": wrong},
        {"order_id": 5, "method": "card", "card": card},
        {"order_id": seed.ORDER_ID, "method": "card", "card": NUMBER, "notes": 5},
    ):
        refused = running.api.post("/api/v1/payments", json=refused_body)
        assert refused.status_code == 400
        assert not shown(refused.text)
    return payments


def wait_until_settled(running: Running, payments: list[str]) -> None:
    deadline = time.monotonic() + 30
    for payment in payments:
        while (found := running.api.get(f"/api/v1/payments/{payment}").json())["status"] in ("created", "pending"):
            assert time.monotonic() < deadline, running.log.read_text()
            time.sleep(0.05)
        assert found["error_code"] != "CARD_DATA_EXPIRED", "the bank was asked with the card"


async def test_no_trace_in_clear(running: Running, sandbox: Sandbox) -> None:
    connection = await aio_pika.connect(sandbox.broker_url("operator"))
    async with connection:
        channel = await connection.channel()
        tap = await channel.declare_queue(exclusive=True)
        for exchange in Exchange:
            await tap.bind(exchange.value, "#")
        running.processes[-1].send_signal(signal.SIGSTOP)  # the processor: cards wait in Redis
        payments = pay(running)
        kept_while_pending = redis_content(sandbox)
        running.processes[-1].send_signal(signal.SIGCONT)
        wait_until_settled(running, payments)
        messages = []
        while message := await tap.get(no_ack=True, fail=False):
            messages.append(f"{message.routing_key} {message.headers} {message.body.decode()}")
    said = "\n".join(messages)
    assert "payment.created" in said
    assert "charge.succeeded" in said or "charge.failed" in said
    assert not shown(said)

    for kept in (kept_while_pending, redis_content(sandbox)):
        assert "idem:{" in kept
        assert not shown(kept)
    assert "card:{" in kept_while_pending

    for client in (running.api, running.processor):
        assert not shown(client.get("/metrics").text)
    running.stop()

    dumped = dump_of(sandbox)
    assert "5556" in dumped, "the dump holds the payments"
    assert "payment.created" in dumped, "and the messages"
    assert not shown(dumped)

    logged = running.log.read_text()
    assert "request.answered" in logged
    assert not shown(logged)

    traced = b"\n".join(running.traces.bodies).decode("latin-1")
    assert "payments-api" in traced
    assert "processor" in traced
    assert not shown(traced)


def redis_content(sandbox: Sandbox) -> str:
    with redis.Redis.from_url(sandbox.redis_url) as client:
        values = [
            name + b"=" + (client.get(name) or b"") for name in client.keys("*") if client.type(name) == b"string"
        ]
    return b"\n".join(values).decode("latin-1")


def dump_of(sandbox: Sandbox) -> str:
    dump = ["pg_dump", "--inserts", sandbox.database_url("postgres")]
    return subprocess.run(dump, capture_output=True, text=True, check=True).stdout
