"""Number and CVV of a card are nowhere in clear: not in PostgreSQL, Redis, messages, logs or metrics.

A real process answers, with everything logged. What RabbitMQ gets is the outbox's payload, byte for byte.
"""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from payments_api import seed

NUMBER = "4000056655665556"
SPELLINGS = (NUMBER, "4000 0566 5566 5556", "4000-0566-5566-5556")
CVV = "739"
HOLDER = "Zephyrine Quux"
IN_CLEAR = (*SPELLINGS, HOLDER, f'"{CVV}"', f"'{CVV}'")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def api(sandbox: Any, log: Path) -> Iterator[httpx.Client]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = sandbox.environment("payments-api-web", PORT=str(port), LOG_LEVEL="DEBUG")
    environment = {**os.environ, **settings, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-m", "payments_api", "seed"], check=True, env=environment)
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "payments_api", "web"], env=environment, stdout=output, stderr=output
        ) as process,
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"X-Api-Key": seed.API_KEY, "X-Api-Secret": seed.API_SECRET}
        ) as client,
    ):
        deadline = time.monotonic() + 60
        while True:
            try:
                client.get("/livez")
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
        yield client
        process.terminate()


def shown(text: str) -> list[str]:
    hidden = [base64.b64encode(needle.encode()).decode().rstrip("=") for needle in (*SPELLINGS, HOLDER)]
    return [needle for needle in (*IN_CLEAR, *hidden) if needle in text]


def test_no_trace_in_clear(api: httpx.Client, sandbox: Any, log: Path) -> None:
    for number, spelling in enumerate(SPELLINGS):
        card = {"number": spelling, "expiry_month": 12, "expiry_year": 2099, "cvv": CVV, "holder_name": HOLDER}
        body = {"order_id": seed.ORDER_ID, "method": "card", "card": card}
        made = api.post("/api/v1/payments", json=body, headers={"Idempotency-Key": f"secret-{number}"})
        assert (made.status_code, made.json()["card_last4"]) == (201, "5556")
        assert not shown(made.text)
    # Refused ones as well, whose input an error could repeat.
    wrong = {**card, "expiry_month": 13}
    for refused_body in (
        {"order_id": seed.ORDER_ID, "method": "card", "card": wrong},
        {"order_id": 5, "method": "card", "card": card},
        {"order_id": seed.ORDER_ID, "method": "card", "card": NUMBER, "notes": 5},
    ):
        refused = api.post("/api/v1/payments", json=refused_body)
        assert refused.status_code == 400
        assert not shown(refused.text)

    dump = ["pg_dump", "--inserts", sandbox.database_url("postgres")]
    dumped = subprocess.run(dump, capture_output=True, text=True, check=True).stdout
    assert "5556" in dumped, "the dump holds the payments"
    assert "payment.created" in dumped, "and the messages"
    assert not shown(dumped)

    with redis.Redis.from_url(sandbox.redis_url) as client:
        values = [name + b"=" + client.get(name) for name in client.keys("*") if client.type(name) == b"string"]
    kept = b"\n".join(values).decode("latin-1")
    assert "card:{" in kept
    assert "idem:{" in kept
    assert not shown(kept)

    assert not shown(api.get("/metrics").text)
    assert "request.answered" in log.read_text()
    assert not shown(log.read_text())
