"""Every kind of fault: what it does, to whom, for how long, and how it is lifted."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from gateway_local.faults.disks import SmallDisk
from gateway_local.faults.lines import SERVERS, Lines
from gateway_local.problems import Problem
from gateway_local.stack import Stack

SERVICES = (
    "payments-api-web", "payments-api-worker", "processor", "refunds-web", "refunds-worker", "webhooks-web",
    "webhooks-worker",
)  # fmt: skip
CLOCK_JUMPS_S = (-3600, -90, 90, 3600)

Step = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Scene:
    """What faults act upon. `disks` has the servers whose data lie on a small disk of their own."""

    stack: Stack
    lines: Lines
    disks: Mapping[str, SmallDisk]


@dataclass(frozen=True)
class Fault:
    """`begin` harms; `end` lifts it after `lasts_s`. Without `end` the supervisor mends it by itself."""

    victim: str
    begin: Step
    end: Step | None = None
    lasts_s: float = 0.0


Prepare = Callable[[Scene, Random], Fault]


def _blocking(work: Callable[[], object]) -> Step:
    return partial(asyncio.to_thread, work)


def _at_once(work: Callable[[], object]) -> Step:
    async def step() -> object:
        return work()

    return step


def _signal(victims: tuple[str, ...], number: signal.Signals) -> Prepare:
    def prepare(scene: Scene, random: Random) -> Fault:
        victim = random.choice(victims)
        return Fault(victim, _at_once(partial(scene.stack.kill, victim, number)))

    return prepare


def _freeze(scene: Scene, random: Random) -> Fault:
    victim = random.choice(SERVICES)
    return Fault(
        victim,
        _at_once(partial(scene.stack.kill, victim, signal.SIGSTOP)),
        _at_once(partial(scene.stack.kill, victim, signal.SIGCONT)),
        lasts_s=10,
    )


def _outage(server: str, lasts_s: float) -> Prepare:
    def prepare(scene: Scene, _random: Random) -> Fault:
        hold, release = partial(scene.stack.hold, server), partial(scene.stack.release, server)
        return Fault(server, _blocking(hold), _blocking(release), lasts_s)

    return prepare


def _lose_data(scene: Scene, _random: Random) -> Fault:
    """RabbitMQ comes back with nothing but its boot definitions."""
    begin, end = partial(_stop_and_empty, scene), partial(scene.stack.release, "rabbitmq")
    return Fault("rabbitmq", _blocking(begin), _blocking(end))


def _stop_and_empty(scene: Scene) -> None:
    data = Path(scene.stack.status()["servers"]["rabbitmq"]["data_dir"])
    scene.stack.hold("rabbitmq")
    for entry in data.iterdir():  # the folder itself may be a mounted disk
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _flush(scene: Scene, _random: Random) -> Fault:
    async def begin() -> None:
        import redis.asyncio as redis  # the runner itself does without the driver

        async with redis.Redis.from_url(scene.stack.status()["addresses"]["redis_url"]) as client:
            await client.flushall()

    return Fault("redis", begin)


def _cut(scene: Scene, random: Random) -> Fault:
    service, server = random.choice(scene.lines.pairs())
    line = scene.lines.between(service, server)
    return Fault(f"{service} - {server}", _at_once(line.cut), _at_once(line.mend), random.uniform(3, 8))


def _partition(scene: Scene, random: Random) -> Fault:
    server = random.choice(SERVERS)
    lines = scene.lines.to(server)

    def begin() -> None:
        for line in lines:
            line.cut()

    def end() -> None:
        for line in lines:
            line.mend()

    return Fault(f"all - {server}", _at_once(begin), _at_once(end), random.uniform(3, 8))


def _slow(scene: Scene, random: Random) -> Fault:
    service, server = random.choice(scene.lines.pairs())
    line = scene.lines.between(service, server)

    def begin() -> None:
        line.conditions.delay_s = 0.3

    return Fault(f"{service} - {server}", _at_once(begin), _at_once(line.mend), 8)


def _throttle(scene: Scene, random: Random) -> Fault:
    service, server = random.choice(scene.lines.pairs())
    line = scene.lines.between(service, server)

    def begin() -> None:
        line.conditions.bytes_per_s = 20_000

    return Fault(f"{service} - {server}", _at_once(begin), _at_once(line.mend), 8)


def _disk_full(server: str) -> Prepare:
    def prepare(scene: Scene, _random: Random) -> Fault:
        disk = scene.disks[server]
        return Fault(server, _blocking(disk.fill), _blocking(disk.free), 6)

    return prepare


def _broker_disk_full(scene: Scene, _random: Random) -> Fault:
    """Its Raft log gives up when not a byte can be written, and the node lives on without its queues: RabbitMQ must be
    started again once there is room, and emptied if a queue does not come back (docs/runbooks/disk-full.md)."""
    disk = scene.disks["rabbitmq"]

    def end() -> None:
        disk.free()
        scene.stack.hold("rabbitmq")
        scene.stack.release("rabbitmq")
        try:
            scene.stack.wait_healthy(patience_s=20)  # workers are, once each of their queues answers
        except Problem:
            _stop_and_empty(scene)
            scene.stack.release("rabbitmq")

    return Fault("rabbitmq", _blocking(disk.fill), _blocking(end), 6)


def _broker_disk_low(scene: Scene, _random: Random) -> Fault:
    """Under its limit of free space the broker takes no more messages until there is room again."""
    disk = scene.disks["rabbitmq"]
    return Fault("rabbitmq", _blocking(partial(disk.fill, 64 * 1024**2)), _blocking(disk.free), 15)


def _clock(scene: Scene, random: Random) -> Fault:
    service, seconds = random.choice(SERVICES), random.choice(CLOCK_JUMPS_S)
    return Fault(
        f"{service} {seconds:+d} s",
        _at_once(partial(scene.lines.set_clock, service, seconds)),
        _at_once(partial(scene.lines.set_clock, service, 0)),
        8,
    )


KINDS: Mapping[str, Prepare] = {
    "kill -9 of a service": _signal(SERVICES, signal.SIGKILL),
    "SIGTERM of a service": _signal(SERVICES, signal.SIGTERM),
    "SIGSTOP of a service, 10 s": _freeze,
    "kill -9 of PostgreSQL": _signal(("postgres",), signal.SIGKILL),
    "kill -9 of Redis": _signal(("redis",), signal.SIGKILL),
    "kill -9 of RabbitMQ": _signal(("rabbitmq",), signal.SIGKILL),
    "PostgreSQL down 5 s": _outage("postgres", 5),
    "Redis down 5 s": _outage("redis", 5),
    "RabbitMQ down 5 s": _outage("rabbitmq", 5),
    "restart of PostgreSQL": _outage("postgres", 0),
    "restart of Redis": _outage("redis", 0),
    "restart of RabbitMQ": _outage("rabbitmq", 0),
    "RabbitMQ loses its data": _lose_data,
    "FLUSHALL": _flush,
    "one line cut": _cut,
    "all lines to a server cut": _partition,
    "one line 300 ms slower": _slow,
    "one line at 20 kB/s": _throttle,
    "disk of PostgreSQL full": _disk_full("postgres"),
    "disk of Redis full": _disk_full("redis"),
    "disk of RabbitMQ full": _broker_disk_full,
    "disk of RabbitMQ low": _broker_disk_low,
    "clock of a process jumps": _clock,
}
"""Name -> how to prepare one. The order is part of what a seed means."""

NEEDS_DISK = {
    "disk of PostgreSQL full": "postgres",
    "disk of Redis full": "redis",
    "disk of RabbitMQ full": "rabbitmq",
    "disk of RabbitMQ low": "rabbitmq",
}
"""These need the right to mount: their server's data are moved to a small disk first."""


def deck(seed: int, number: int, names: list[str]) -> str:
    """The kind of round `number` (from 1): all `names` come once, in an order the seed gives, before one comes again."""
    shuffled = list(names)
    cycle, position = divmod(number - 1, len(names))
    Random(f"{seed}:{cycle}").shuffle(shuffled)  # noqa: S311 - repeatable on purpose
    return shuffled[position]
