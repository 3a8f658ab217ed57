"""What the machine gives at most: the rows of one payment by pgbench, and by a bare endpoint.

Both write to copies of the real tables, with all their indexes, in a schema of their own that is dropped afterwards.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

import asyncpg

from loadtests.arrivals import in_closed_model
from loadtests.connection import Connection, connect

SCHEMA = "benchmark"
MERCHANT = UUID("00000000-0000-4000-8000-000000000001")

_TABLES = f"""
DROP SCHEMA IF EXISTS {SCHEMA} CASCADE;
CREATE SCHEMA {SCHEMA};
CREATE TABLE {SCHEMA}.payments (LIKE payments.payments INCLUDING ALL);
CREATE TABLE {SCHEMA}.outbox (LIKE payments.outbox INCLUDING ALL);
"""
# A payment and its two messages in one statement, as payments-api does it, without what it asks of other tables.
ACCEPT = f"""
WITH payment AS (
    INSERT INTO {SCHEMA}.payments (merchant_id, id, order_id, amount, currency, method, vpa, capture_mode, is_exclusive,
        created_message_id, request_id, traceparent, created_at, updated_at)
    VALUES ($1, $2, $3, 50000, 'INR', $4, $5, 'manual', false, ($7::text[])[1], '', '', $6::timestamptz, $6)
)
INSERT INTO {SCHEMA}.outbox (message_id, event_type, merchant_id, payload, request_id, traceparent, created_at)
SELECT id, type, $1, $8::text, '', '', $6
FROM unnest($7::text[], ARRAY['payment.created', 'payment.pending']) AS message (id, type)
"""
_PGBENCH = rf"""
WITH payment AS (
    INSERT INTO {SCHEMA}.payments (merchant_id, id, order_id, amount, currency, method, vpa, capture_mode, is_exclusive,
        created_message_id, request_id, traceparent, created_at, updated_at)
    VALUES ('{MERCHANT}', 'pay_' || left(replace(gen_random_uuid()::text, '-', ''), 16), 'order_1', 50000, 'INR', 'upi',
        'success@upi', 'manual', false, 'evt_0', '', '', now(), now())
)
INSERT INTO {SCHEMA}.outbox (message_id, event_type, merchant_id, payload, request_id, traceparent, created_at)
SELECT 'evt_' || left(replace(gen_random_uuid()::text, '-', ''), 16), type, '{MERCHANT}', repeat('x', 560), '', '', now()
FROM unnest(ARRAY['payment.created', 'payment.pending']) AS message (type);
"""


def message(payment: str) -> str:
    """An event as long as a real one."""
    head = f'{{"merchant_id":"{MERCHANT}","sequence":1,"occurred_at":"2024-01-15T10:31:00.000Z","payment":'
    return (head + payment).ljust(560) + "}"


@asynccontextmanager
async def scratch_tables(status: Mapping[str, Any]) -> AsyncIterator[str]:
    """Yields the database's URL; `status` is what `./gateway status --json` prints."""
    url: str = status["addresses"]["database_url"]["postgres"]
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_TABLES)
        yield url
        await connection.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
    finally:
        await connection.close()


def pgbench(status: Mapping[str, Any], url: str, seconds: int, clients: int = 32) -> float:
    """Payments a second that PostgreSQL alone writes, with `clients` connections."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_PGBENCH)
        script.flush()
        done = subprocess.run(
            [f"{status['servers']['postgres']['bin_dir']}/pgbench", "--no-vacuum", "--protocol=prepared",
             f"--client={clients}", "--jobs=1", f"--time={seconds}", f"--file={script.name}", url],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])


@contextmanager
def bare_endpoint(url: str) -> Iterator[int]:
    """Runs `bare_endpoint.py` in one process of its own; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "loadtests.bare_endpoint:app", "--port", str(port), "--loop", "uvloop",
         "--http", "httptools", "--no-access-log", "--log-level", "warning"],
        env={**os.environ, "BARE_DATABASE_URL": url},
    )  # fmt: skip
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/openapi.json", timeout=2).close()
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


async def drive_bare(port: int, seconds: float, connections: int) -> list[float]:
    """Latencies in seconds of the answers that the bare endpoint gave in that time."""
    body = b'{"order_id":"order_AAAAAAAAAAAAAAAA","method":"upi","vpa":"success@upi"}'
    request = (
        b"POST /payments HTTP/1.1\r\nHost: bare\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (len(body), body)
    )
    idle: list[Connection] = list(await asyncio.gather(*(connect("127.0.0.1", port) for _ in range(connections))))
    latencies: list[float] = []

    async def send(due: float) -> None:
        connection = idle.pop()
        answer = await connection.send(request)
        idle.append(connection)
        if answer.status != 201:
            raise RuntimeError(f"the bare endpoint answered {answer.status}: {answer.body.decode(errors='replace')}")
        latencies.append(time.perf_counter() - due)

    await in_closed_model(connections, seconds, send)
    for connection in idle:
        connection.close()
    return latencies
