"""Does the cost of lists and of accepting a payment stay flat as a merchant's payments grow?

    python loadtests/list_cost.py --api http://127.0.0.1:8000 --database postgresql://payments:…@127.0.0.1:25432/gateway

Makes a merchant of its own, fills the table to each size, measures the same requests one after the other on one
connection, prints p50 and p95 in milliseconds and the growth of p50 from the first size to the last, and takes the
merchant away again. Exit code 1 when a p50 grew by more than `--bound`.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import http.client
import json
import statistics
import sys
import time
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg

KEY = "key_test_listcost"
SECRET = "secret_test_listcost"
HEADERS = {"X-Api-Key": KEY, "X-Api-Secret": SECRET, "Content-Type": "application/json"}
CHUNK = 50_000

# A year of payments, newest last; one in twenty pending payments would be unlike life, so all have their verdict.
FILL = """
INSERT INTO payments (merchant_id, id, order_id, amount, currency, method, vpa, card_network, card_last4, capture_mode,
    is_exclusive, status, created_message_id, request_id, traceparent, created_at, updated_at, decided_at, error_code)
SELECT $1, 'pay_' || substr(md5($2::text || n::text || 'p'), 1, 16), 'lc-' || n % 50000, 10000 + n % 90000, 'INR',
    CASE WHEN n % 5 < 3 THEN 'upi' ELSE 'card' END, CASE WHEN n % 5 < 3 THEN 'user' || n % 20000 || '@upi' END,
    CASE WHEN n % 5 >= 3 THEN 'visa' END, CASE WHEN n % 5 >= 3 THEN lpad((n % 10000)::text, 4, '0') END, 'manual', false,
    CASE WHEN n % 1000 = 0 THEN 'cancelled' WHEN n % 12 = 0 THEN 'failed' ELSE 'success' END,
    'evt_' || substr(md5(n::text), 1, 16), '', '', made.at, made.at, made.at, CASE WHEN n % 12 = 0 THEN 'PAYMENT_FAILED' END
FROM generate_series($3::integer, $4::integer) AS n,
    LATERAL (SELECT now() - interval '400 days' + n * interval '30 seconds' AS at) AS made
"""


@dataclass(frozen=True)
class Request:
    name: str
    method: str
    path: str
    body: str | None = None


REQUESTS = (
    Request("list", "GET", "/api/v1/payments?limit=50"),
    Request("list status=failed", "GET", "/api/v1/payments?limit=50&status=failed"),
    Request("list method=card", "GET", "/api/v1/payments?limit=50&method=card"),
    Request("list cancelled card", "GET", "/api/v1/payments?limit=50&status=cancelled&method=card"),
    Request("list order_id", "GET", "/api/v1/payments?limit=50&order_id=lc-77"),
    Request("search vpa", "GET", "/api/v1/payments?limit=50&q=user4%40upi"),
    Request("create", "POST", "/api/v1/payments", json.dumps(
        {"order_id": "lc-order", "amount": 50000, "method": "upi", "vpa": "success@upi"})),
)  # fmt: skip


async def fill(database: asyncpg.Connection, merchant_id: uuid.UUID, have: int, want: int) -> None:
    for start in range(have + 1, want + 1, CHUNK):
        await database.execute(FILL, merchant_id, str(merchant_id), start, min(start + CHUNK - 1, want), timeout=300)
    await database.execute("SET statement_timeout = 0")
    await database.execute("VACUUM ANALYZE payments", timeout=600)


def measure(api: str, rounds: int, blocks: int) -> dict[str, list[float]]:
    """Milliseconds per request name, of the block with the lowest median: what else the machine does is not our cost."""
    quietest: dict[str, list[float]] = {}
    for _ in range(blocks):
        for name, times in measure_block(api, rounds).items():
            if name not in quietest or statistics.median(times) < statistics.median(quietest[name]):
                quietest[name] = times
    return quietest


def measure_block(api: str, rounds: int) -> dict[str, list[float]]:
    """The first fifth of the rounds is not counted."""
    connection = http.client.HTTPConnection(urlsplit(api).netloc, timeout=30)
    times: dict[str, list[float]] = {request.name: [] for request in REQUESTS}
    for number in range(rounds + rounds // 5):
        for request in REQUESTS:
            started = time.perf_counter()
            connection.request(request.method, request.path, request.body, HEADERS)
            answer = connection.getresponse()
            body = answer.read()
            took = (time.perf_counter() - started) * 1000
            if answer.status not in (200, 201):
                raise SystemExit(f"{request.name}: {answer.status} {body[:300]!r}")
            if number >= rounds // 5:
                times[request.name].append(took)
    return times


async def run(arguments: argparse.Namespace) -> int:
    database = await asyncpg.connect(arguments.database)
    merchant_id = uuid.uuid4()
    medians: list[dict[str, float]] = []
    try:
        await database.execute(
            "INSERT INTO merchants VALUES ($1, 'List cost', $2, NULL, now())", merchant_id, f"{merchant_id}@example.com"
        )
        await database.execute(
            "INSERT INTO api_keys VALUES ($1, $2, $3, $4, '', now(), NULL)",
            uuid.uuid4(), merchant_id, KEY, hashlib.sha256(SECRET.encode()).digest(),
        )  # fmt: skip
        have = 0
        for size in arguments.sizes:
            await fill(database, merchant_id, have, size)
            have = size
            times = await asyncio.to_thread(measure, arguments.api, arguments.rounds, arguments.blocks)
            medians.append({name: statistics.median(values) for name, values in times.items()})
            for name, values in times.items():
                print(
                    f"{size:>9}  {name:<20} p50 {medians[-1][name]:7.2f} ms  p95 {sorted(values)[int(len(values) * 0.95)]:7.2f} ms"
                )
    finally:
        await database.execute("SET statement_timeout = 0")
        for table in ("payments", "orders", "payment_rollups", "api_keys"):
            await database.execute(f"DELETE FROM {table} WHERE merchant_id = $1", merchant_id, timeout=600)
        await database.execute("DELETE FROM merchants WHERE id = $1", merchant_id)
        await database.close()
    worst = 0.0
    for name in medians[0]:
        growth = medians[-1][name] / medians[0][name]
        worst = max(worst, growth)
        print(f"{name:<20} grew {growth:.2f} times")
    return 0 if worst <= arguments.bound else 1


def main() -> int:
    parser = argparse.ArgumentParser(description="Cost of lists and of accepting a payment by table size.")
    parser.add_argument("--api", default="http://127.0.0.1:8000")
    parser.add_argument("--database", required=True, help="payments-api's own DATABASE_URL")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--bound", type=float, default=1.3)
    return asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
