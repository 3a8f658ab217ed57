"""Does the cost of lists and of accepting a payment stay flat as a merchant's payments grow?

    python -m loadtests.list_cost --api http://127.0.0.1:8000 --database postgresql://payments:…@127.0.0.1:25432/gateway

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
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import asyncpg

from loadtests.filling import clear, fill

KEY = "key_test_listcost"
SECRET = "secret_test_listcost"
HEADERS = {"X-Api-Key": KEY, "X-Api-Secret": SECRET, "Content-Type": "application/json"}


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
    Request("search vpa", "GET", "/api/v1/payments?limit=50&q=user6%40upi"),
    Request("create", "POST", "/api/v1/payments", json.dumps(
        {"order_id": "lc-order", "amount": 50000, "method": "upi", "vpa": "success@upi"})),
)  # fmt: skip


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
        have, since = 0, datetime.now(UTC) - timedelta(days=400)
        for size in arguments.sizes:
            await fill(database, merchant_id, have, size, since)
            have = size
            times = await asyncio.to_thread(measure, arguments.api, arguments.rounds, arguments.blocks)
            medians.append({name: statistics.median(values) for name, values in times.items()})
            for name, values in times.items():
                print(
                    f"{size:>9}  {name:<20} p50 {medians[-1][name]:7.2f} ms  p95 {sorted(values)[int(len(values) * 0.95)]:7.2f} ms"
                )
    finally:
        await clear(database, merchant_id)
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
