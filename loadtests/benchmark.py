"""The benchmark: what the machine gives, what a bare endpoint makes of it, and what the gateway does; ratios first.

Run by `./gateway bench`, which starts a private copy of the gateway for it: empty tables, no rate limits, the bank's
delay as asked. (a) to (c) are measured with the workers stopped, so that they show the accepting of payments alone; in
(d) everything runs.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
from dataclasses import dataclass, field
from typing import Any

import uvloop

from gateway_local.installation import Installation
from gateway_local.stack import Stack
from loadtests import ceilings
from loadtests.__main__ import describe
from loadtests.arrivals import in_closed_model
from loadtests.audit import settled
from loadtests.latency import Latency, leave_full_collections_out, summarise
from loadtests.measuring import Measurement, Plan, Report
from loadtests.preparing import new_merchant, running
from loadtests.shop import Shop, describe_refusals

CONNECTIONS = 32
# Everything that would take processor time from the web process while it accepts.
WORKERS = ("payments-api-worker", "processor", "refunds-worker", "webhooks-worker")


@dataclass(slots=True)
class Accepting:
    """Rates of the rounds, per second, and all latencies of the gateway, in seconds."""

    pgbench: float = 0.0
    bare: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Ours to the bare endpoint's of the same round: what else the machine does in a round weighs on both."""
        return [ours / bare for ours, bare in zip(self.ours, self.bare, strict=True)]


async def accepting(installation: Installation, status: dict[str, Any], seconds: float, rounds: int) -> Accepting:
    """(a), (b) and (c), round after round."""
    leave_full_collections_out()
    found = Accepting()
    merchant = await asyncio.to_thread(new_merchant, installation)
    async with ceilings.scratch_tables(status) as url:
        found.pgbench = await asyncio.to_thread(ceilings.pgbench, status, url, max(2, round(seconds)))
        _tell(f"(a) pgbench: {found.pgbench:.0f}/s")
        with ceilings.bare_endpoint(url) as port:
            await ceilings.drive_bare(port, 2, CONNECTIONS)  # warms both up, as does the first of ours
            await _drive_ours(Shop(merchant), 2)
            for number in range(1, rounds + 1):
                bare = await ceilings.drive_bare(port, seconds, CONNECTIONS)
                shop = Shop(merchant)
                await _drive_ours(shop, seconds)
                found.bare.append(len(bare) / seconds)
                found.ours.append(len(shop.outcome.accepted) / seconds)
                found.latencies += shop.outcome.latencies
                _tell(
                    f"round {number}: (b) {found.bare[-1]:.0f}/s, (c) {found.ours[-1]:.0f}/s, ratio {found.ratios[-1]:.2f}"
                )
                if shop.outcome.refused:
                    _tell(f"  refused: {describe_refusals(shop.outcome.refused)}")
    return found


async def _drive_ours(shop: Shop, seconds: float) -> None:
    await shop.open(CONNECTIONS, orders=320)
    await in_closed_model(CONNECTIONS, seconds, shop.pay)
    shop.close()


def _tell(line: str) -> None:
    print(line, flush=True)


def _print_accepting(found: Accepting) -> None:
    latency: Latency = summarise(found.latencies)
    ratio, bare, ours = statistics.median(found.ratios), statistics.median(found.bare), statistics.median(found.ours)
    _tell(f"\n(c) / (b)  {ratio:.2f}   rounds {', '.join(f'{one:.2f}' for one in found.ratios)}   target 0.65, aim 0.8")
    _tell(f"(b) / (a)  {bare / found.pgbench:.2f}")
    _tell(f"(a) PostgreSQL alone, the same rows        {found.pgbench:7.0f}/s")
    _tell(f"(b) bare FastAPI + asyncpg, one insert     {bare:7.0f}/s")
    _tell(f"(c) POST /payments through the edge        {ours:7.0f}/s   {latency}   target p99 60 ms\n")


async def _whole(installation: Installation, status: dict[str, Any], seconds: float) -> Report:
    return await Measurement(installation, status, Plan(seconds, CONNECTIONS), _tell).run()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=8, help="of one round of (b) and of (c)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sustained", type=float, default=60, help="seconds of (d)")
    parser.add_argument("--parts", default="abcd")
    arguments = parser.parse_args()
    installation, status = running()
    if set("abc") & set(arguments.parts):
        stack = Stack(installation)
        for name in WORKERS:
            stack.hold(name)
        _print_accepting(uvloop.run(accepting(installation, status, arguments.seconds, arguments.rounds)))
        for name in WORKERS:
            stack.release(name)
        installation, status = running()
        _tell("working off what (c) has accepted …")
        asyncio.run(settled(status))
    if "d" not in arguments.parts:
        return 0
    report = uvloop.run(_whole(installation, status, arguments.sustained))
    _tell(f"\n(d) accepted to delivered, sustained: {report.sustained_per_second:.0f}/s   target 400, aim 600")
    _tell(describe(report))
    return 0 if report.balance is not None and report.balance.holds else 1


if __name__ == "__main__":
    sys.exit(main())
