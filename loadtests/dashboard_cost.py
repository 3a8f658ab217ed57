"""How fast are the dashboard's overview and transactions for a merchant with a million payments?

    python -m loadtests.dashboard_cost --dashboard http://127.0.0.1:3000 --database postgresql://payments:…@…/gateway

Signs a merchant up (test mode), fills its history up to this moment, reads each page one after the other as a signed-in
browser does, prints p50 and p95 in milliseconds, and takes the merchant away. Exit code 1 when a p95 is over `--bound`.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import secrets
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx

from loadtests.filling import SECONDS_APART, clear, fill

PAGES = {
    "overview": "/dashboard",
    "overview, 24 hours": "/dashboard?period=24h",
    "overview, 90 days": "/dashboard?period=90d",
    "transactions": "/dashboard/transactions",
    "transactions, failed": "/dashboard/transactions?status=failed",
    "transactions, failed by card": "/dashboard/transactions?status=failed&method=card",
    "transactions, one VPA": "/dashboard/transactions?q=user6%40upi",
}


def sign_up(site: httpx.Client) -> str:
    """A merchant of its own, signed in; returns its API key."""
    token = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', site.get("/signup").text)
    if token is None:
        raise SystemExit("The dashboard shows no sign-up form; is TEST_MODE on?")
    email = f"{secrets.token_hex(6)}@example.com"
    fields = {"csrf_token": token[1], "name": "Page cost", "email": email, "password": secrets.token_urlsafe(16)}
    page = site.post("/signup", data=fields)
    key = re.search(r'data-test-id="new-api-key">([^<]+)<', page.text)
    if key is None:
        raise SystemExit(f"Signing up answered {page.status_code}")
    return key[1]


def measure(site: httpx.Client, rounds: int) -> dict[str, list[float]]:
    """Milliseconds by page; the first fifth of the rounds is not counted."""
    times: dict[str, list[float]] = {name: [] for name in PAGES}
    for number in range(rounds + rounds // 5):
        for name, path in PAGES.items():
            started = time.perf_counter()
            answer = site.get(path)
            took = (time.perf_counter() - started) * 1000
            if answer.status_code != 200:
                raise SystemExit(f"{name}: {answer.status_code}")
            if number >= rounds // 5:
                times[name].append(took)
    return times


async def run(arguments: argparse.Namespace) -> int:
    database = await asyncpg.connect(arguments.database)
    with httpx.Client(base_url=arguments.dashboard, headers={"Accept": "text/html"}, timeout=15) as site:
        site.follow_redirects = True
        merchant_id = await database.fetchval("SELECT merchant_id FROM api_keys WHERE key = $1", sign_up(site))
        try:
            print(f"filling {arguments.payments:,} payments …", flush=True)
            since = datetime.now(UTC) - timedelta(seconds=arguments.payments * SECONDS_APART)
            await fill(database, merchant_id, 0, arguments.payments, since)
            times = await asyncio.to_thread(measure, site, arguments.rounds)
        finally:
            await clear(database, merchant_id)
            await database.close()
    worst = 0.0
    for name, values in times.items():
        p95 = sorted(values)[int(len(values) * 0.95)]
        worst = max(worst, p95)
        print(f"{name:<30} p50 {statistics.median(values):7.1f} ms  p95 {p95:7.1f} ms")
    return 0 if worst <= arguments.bound else 1


def main() -> int:
    parser = argparse.ArgumentParser(description="The dashboard's pages with a million payments.")
    parser.add_argument("--dashboard", default="http://127.0.0.1:3000")
    parser.add_argument("--database", required=True, help="payments-api's own DATABASE_URL")
    parser.add_argument("--payments", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--bound", type=float, default=150.0, help="milliseconds, p95")
    return asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
