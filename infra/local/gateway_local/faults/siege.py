"""Sends hostile requests to every server of a running stack, and watches: no 5xx, no restart, memory flat."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

import psutil

from gateway_local.faults.hostility import EDGE_PATHS, PATHS, Hostile, make
from gateway_local.ports import LOOPBACK
from gateway_local.stack import Stack

CONCURRENT = 24
ANSWER_TIMEOUT_S = 8.0
# Requests before memory is first measured: caches, pools and code that is imported late are filled by then.
WARM_UP_SHARE = 0.2
MAY_GROW_BYTES = 40 * 1024**2


@dataclass
class Findings:
    """`server_errors` holds (server, trick, first line of the answer, request) of each 5xx."""

    sent: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    server_errors: list[tuple[str, str, str, bytes]] = field(default_factory=list)
    restarted: list[str] = field(default_factory=list)
    memory: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Process -> resident bytes after the warm-up and at the end."""
    seconds: float = 0.0

    @property
    def grown(self) -> list[str]:
        return [name for name, (before, after) in self.memory.items() if after - before > MAY_GROW_BYTES]

    @property
    def holds(self) -> bool:
        return not (self.server_errors or self.restarted or self.grown)


async def besiege(stack: Stack, count: int, seed: int) -> Findings:
    """`count` requests: half through the edge, the rest straight to each service's own port."""
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    findings = Findings()
    ports = _ports(stack)
    before = _pids(stack)
    started = time.monotonic()
    warm_up = int(count * WARM_UP_SHARE)
    await _wave(random, ports, warm_up, findings)
    resting = _memory(before)
    await _wave(random, ports, count - warm_up, findings)
    findings.seconds = time.monotonic() - started
    await asyncio.sleep(1)
    after = _pids(stack)
    findings.restarted = [name for name, pid in before.items() if after.get(name) != pid]
    at_the_end = _memory(after)
    findings.memory = {name: (resting[name], at_the_end[name]) for name in resting if name in at_the_end}
    return findings


async def _wave(random: Random, ports: dict[str, int], count: int, findings: Findings) -> None:
    requests: asyncio.Queue[tuple[str, Hostile]] = asyncio.Queue()
    services = [name for name in ports if name != "edge"]
    for _ in range(count):
        server = "edge" if random.random() < 0.5 else random.choice(services)
        requests.put_nowait((server, make(random, EDGE_PATHS if server == "edge" else PATHS[server])))

    async def send_all() -> None:
        while not requests.empty():
            server, hostile = requests.get_nowait()
            line = await _exchange(ports[server], hostile.raw)
            findings.sent += 1
            findings.statuses[line[9:12] if line.startswith("HTTP/1") else line[:9]] += 1
            if line[9:10] == "5":
                findings.server_errors.append((server, hostile.kind, line, hostile.raw[:2000]))

    await asyncio.gather(*(send_all() for _ in range(CONCURRENT)))


async def _exchange(port: int, raw: bytes) -> str:
    """The first line of the answer; `no answer` when the connection was closed without one, `silent` when it stays open."""
    writer = None
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            writer.write(raw)
            line = await reader.readline()
            return line.decode("latin-1").strip() or "no answer"
    except TimeoutError:
        return "silent"
    except OSError:
        return "no answer"
    finally:
        if writer is not None:
            writer.transport.abort()


def _ports(stack: Stack) -> dict[str, int]:
    ports = {process["name"]: int(process["port"]) for process in stack.status()["processes"]}
    return {name: ports[name] for name in ("edge", *PATHS)}


def _pids(stack: Stack) -> dict[str, int]:
    processes = stack.status()["processes"]
    return {process["name"]: process["pid"] for process in processes if process["kind"] == "service"}


def _memory(pids: dict[str, int]) -> dict[str, int]:
    return {name: psutil.Process(pid).memory_info().rss for name, pid in pids.items() if psutil.pid_exists(pid)}
