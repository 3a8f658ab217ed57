"""When requests are due.

Open model: requests come whether or not earlier ones were answered, as shoppers do, and latency counts from the moment
a request was due, so that a stall is not hidden by requests that were never sent (coordinated omission).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class Schedule:
    """`per_second` requests a second, evenly spaced, for `seconds`."""

    def __init__(self, per_second: float, seconds: float) -> None:
        self.total = max(1, round(per_second * seconds))
        self._gap = 1 / per_second

    def due(self, number: int) -> float:
        """Seconds after the start at which request `number` (from 0) is due."""
        return number * self._gap


async def in_open_model(schedule: Schedule, send: Callable[[float], Awaitable[None]]) -> None:
    """Calls `send(due)` for every request at its time; `due` is on the clock of `time.perf_counter`."""
    started = time.perf_counter() + 0.05
    tasks: set[asyncio.Task[None]] = set()
    for number in range(schedule.total):
        due = started + schedule.due(number)
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.ensure_future(send(due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    while tasks:
        await asyncio.wait(tasks)


async def in_closed_model(workers: int, seconds: float, send: Callable[[float], Awaitable[None]]) -> None:
    """`workers` senders, each with its next request when the last was answered, for `seconds`."""
    until = time.perf_counter() + seconds

    async def work() -> None:
        while (now := time.perf_counter()) < until:
            await send(now)

    await asyncio.gather(*(work() for _ in range(workers)))
