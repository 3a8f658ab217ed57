"""Background tasks of a process: started together, started again with back-off when they fail, stopped together."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from gateway_common import metrics
from gateway_common.logs import get_logger

log = get_logger(__name__)

LONGEST_PAUSE_SECONDS = 3.0
# How long a task may tidy up after it was cut, before it is cut again.
CUT_AGAIN_SECONDS = 3.0
CUTS = 5


class BackgroundTasks:
    """Named loops. A loop that raises is logged and started again; one that returns is done."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        self._tasks[name] = asyncio.create_task(self._keep_running(name, loop), name=name)

    def every(self, seconds: float, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` now and then every `seconds`, with a little jitter so that copies do not march in step."""

        async def loop() -> None:
            while True:
                await work()
                if _is_cut():
                    return
                await asyncio.sleep(seconds * random.uniform(0.9, 1.1))  # noqa: S311 - not for security

        self.start(name, loop)

    async def wait(self, name: str, timeout_seconds: float) -> None:
        """Wait for a loop to end by itself (a consumer that was told to stop), then cut it."""
        if (task := self._tasks.pop(name, None)) is not None:
            _, late = await asyncio.wait([task], timeout=timeout_seconds)
            await _cut(late)

    async def stop(self) -> None:
        await _cut(set(self._tasks.values()))
        self._tasks.clear()

    async def _keep_running(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        pause = 0.1
        while True:
            started = asyncio.get_running_loop().time()
            try:
                await loop()
                return
            except Exception as error:
                metrics.TASK_RESTARTS.labels(name).inc()
                log.warning("task.failed", task=name, error=repr(error), exc_info=True)
                if _is_cut():
                    return
            if asyncio.get_running_loop().time() - started > 30:
                pause = 0.1
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - not for security
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def _is_cut() -> bool:
    """Whether this task was cancelled, and something it called (a driver in the middle of a call) made another error of it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _cut(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel, and again: a cancellation that was swallowed on the way would otherwise be waited for without end."""
    for _ in range(CUTS):
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=CUT_AGAIN_SECONDS)
    if tasks:
        log.error("task.does_not_end", tasks=sorted(task.get_name() for task in tasks))
