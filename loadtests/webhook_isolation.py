"""Does one hanging endpoint cost the others anything?

    python -m loadtests.webhook_isolation [--seconds 60] [--rate 20] [--healthy 99]

Two runs with equal load: `--rate` ticks a second, at each of them five events for healthy endpoints, which answer in
5 ms. In the second run each tick also brings an event for an endpoint that hangs for 30 s on every call. Compared are
the times from event to arrival at the healthy endpoints; p99 may grow by half.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from uuid import UUID

import uvloop

from gateway_common.broker.batches import Outgoing
from gateway_common.broker.publisher import Publisher
from gateway_common.broker.topology import Exchange
from gateway_common.database import Database
from gateway_local.sandbox import Sandbox
from loadtests.webhook_delivery import quantile
from loadtests.webhook_stage import (
    Receiver,
    WorkerProcess,
    add_merchant,
    payment_event,
    private_sandbox,
    settings_of,
)

HEALTHY_PER_TICK = 5
ALLOWED_GROWTH = 1.5


async def one_run(
    publisher: Publisher, receiver: Receiver, healthy: list[UUID], hanging: UUID | None, rate: int, seconds: int
) -> list[float]:
    """Seconds from each healthy event to its arrival."""
    sent: list[Outgoing] = []
    tasks = []
    started = time.monotonic()
    for tick in range(rate * seconds):
        await asyncio.sleep(max(0.0, started + tick / rate - time.monotonic()))
        now = [payment_event(healthy[(tick * HEALTHY_PER_TICK + n) % len(healthy)]) for n in range(HEALTHY_PER_TICK)]
        sent += now
        extra = [] if hanging is None else [payment_event(hanging)]
        tasks.append(asyncio.create_task(publisher.publish_all([*now, *extra])))
    await asyncio.gather(*tasks)
    deadline = time.monotonic() + 30
    while any(event.message_id not in receiver.arrivals for event in sent):
        if time.monotonic() > deadline:
            raise SystemExit("VOID: events for healthy endpoints did not arrive within 30 s")
        await asyncio.sleep(0.1)
    return [receiver.arrivals[event.message_id][0] - event.timestamp.timestamp() for event in sent]


async def main(sandbox: Sandbox, folder: Path, healthy_count: int, rate: int, seconds: int) -> None:
    receiver = Receiver()
    server = await asyncio.get_running_loop().create_server(receiver, "127.0.0.1", 0, backlog=1000)
    origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    settings = settings_of(sandbox)
    database = await Database.connect(sandbox.database_url("webhooks"))
    healthy = [await add_merchant(database, settings, f"{origin}/fast/{n}") for n in range(healthy_count)]
    hanging = await add_merchant(database, settings, f"{origin}/hang")
    await database.close()
    publisher = Publisher(sandbox.broker_url("payments"), Exchange.PAYMENTS, "load")
    worker = WorkerProcess(sandbox, folder)
    try:
        await one_run(publisher, receiver, healthy, None, rate, 3)  # connections and plans warm
        results = {}
        for name, also in (("without", None), ("with", hanging)):
            delays = await one_run(publisher, receiver, healthy, also, rate, seconds)
            results[name] = quantile(delays, 0.99)
            print(
                f"{name} a hanging endpoint: p50 {quantile(delays, 0.5) * 1000:.0f} ms,"
                f" p99 {results[name] * 1000:.0f} ms, {len(delays)} deliveries"
            )
    finally:
        worker.stop()
        await publisher.close()
        server.close()
    growth = results["with"] / results["without"]
    print(f"p99 grew by a factor of {growth:.2f} (allowed: {ALLOWED_GROWTH})")
    if growth > ALLOWED_GROWTH:
        raise SystemExit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rate", type=int, default=20)
    parser.add_argument("--healthy", type=int, default=99)
    arguments = parser.parse_args()
    with private_sandbox() as prepared, tempfile.TemporaryDirectory() as scratch:
        uvloop.run(main(prepared, Path(scratch), arguments.healthy, arguments.rate, arguments.seconds))
