"""How many webhooks a second one worker process delivers: planned, claimed, signed, sent, answered and logged.

    python -m loadtests.webhook_delivery [--events 9000] [--endpoints 20] [--rate 300]

First a backlog is drained as fast as it goes (capacity), then events come at a steady rate (latency). All servers, the
generator and the receiver share this machine; the receiver answers after 5 ms. A run whose ledger does not balance
(every event arrived exactly once and is logged as a success) is void and ends with an error.
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
from loadtests.webhook_stage import (
    Receiver,
    WorkerProcess,
    add_merchant,
    count_statuses,
    cpu_seconds_by_owner,
    payment_event,
    private_sandbox,
    publish_many,
    settings_of,
)

PATIENCE_S = 120.0


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def wait_for(receiver: Receiver, total: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while receiver.total < total:
        if time.monotonic() > deadline:
            raise SystemExit(f"VOID: {receiver.total} of {total} arrived within {PATIENCE_S:.0f} s")
        await asyncio.sleep(0.02)


async def main(sandbox: Sandbox, folder: Path, events: int, endpoints: int, rate: int, seconds: int) -> None:
    loop = asyncio.get_running_loop()
    receiver = Receiver()
    server = await loop.create_server(receiver, "127.0.0.1", 0, backlog=1000)
    port = server.sockets[0].getsockname()[1]
    settings = settings_of(sandbox)
    url = sandbox.database_url("webhooks")
    database = await Database.connect(url)
    merchants = [await add_merchant(database, settings, f"http://127.0.0.1:{port}/fast/{n}") for n in range(endpoints)]
    await database.close()
    publisher = Publisher(sandbox.broker_url("payments"), Exchange.PAYMENTS, "load")

    backlog = [payment_event(merchants[n % endpoints]) for n in range(events)]
    await publish_many(publisher, backlog)
    worker = WorkerProcess(sandbox, folder)
    try:
        await wait_for(receiver, 1)
        before, started = cpu_seconds_by_owner(worker.process.pid), time.monotonic()
        warm = receiver.total
        await wait_for(receiver, events)
        took = time.monotonic() - started
        used = {
            owner: seconds - before.get(owner, 0.0)
            for owner, seconds in cpu_seconds_by_owner(worker.process.pid).items()
        }
        print(
            f"capacity: {(events - warm) / took:.0f} deliveries/s ({events - warm} in {took:.1f} s, one worker process)"
        )
        print("CPU seconds: " + ", ".join(f"{owner} {value:.1f}" for owner, value in sorted(used.items())))
        steady = await run_steadily(publisher, merchants, rate, seconds)
        await wait_for(receiver, events + len(steady))
        delays = [receiver.arrivals[e.message_id][0] - e.timestamp.timestamp() for e in steady]
        print(
            f"steady {rate}/s for {seconds} s, event to receiver: p50 {quantile(delays, 0.5) * 1000:.0f} ms,"
            f" p95 {quantile(delays, 0.95) * 1000:.0f} ms, p99 {quantile(delays, 0.99) * 1000:.0f} ms"
        )
        await asyncio.sleep(1)
    finally:
        shares = worker.stop()
        await publisher.close()
        server.close()
    print("worker's busy time: " + ", ".join(f"{part} {share:.0%}" for part, share in shares.items()))
    check_ledger(receiver, [*backlog, *steady], await count_statuses(url))


async def run_steadily(publisher: Publisher, merchants: list[UUID], rate: int, seconds: int) -> list[Outgoing]:
    sent: list[Outgoing] = []
    tasks = []
    started = time.monotonic()
    for number in range(rate * seconds):
        await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
        sent.append(payment_event(merchants[number % len(merchants)]))
        tasks.append(asyncio.create_task(publisher.publish(sent[-1])))
    await asyncio.gather(*tasks)
    return sent


def check_ledger(receiver: Receiver, sent: list[Outgoing], statuses: dict[str, int]) -> None:
    missing = [event for event in sent if event.message_id not in receiver.arrivals]
    repeated = [event_id for event_id, times in receiver.arrivals.items() if len(times) > 1]
    balances = not missing and not repeated and statuses == {"success": len(sent)}
    print(f"ledger: {len(sent)} events, {len(missing)} missing, {len(repeated)} repeated, log {statuses}")
    if not balances:
        raise SystemExit("VOID: the ledger does not balance")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=9000)
    parser.add_argument("--endpoints", type=int, default=20)
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=15)
    arguments = parser.parse_args()
    with private_sandbox() as prepared, tempfile.TemporaryDirectory() as scratch:
        uvloop.run(
            main(
                prepared,
                Path(scratch),
                arguments.events,
                arguments.endpoints,
                arguments.rate,
                arguments.seconds,
            )
        )
