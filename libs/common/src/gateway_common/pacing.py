"""Gather what comes in a stream into batches without making what comes alone wait."""

from __future__ import annotations

import asyncio
import math
import time

# What was made together, such as a payment's two events, arrives within this.
SHORTEST_SECONDS = 0.003


class Pace:
    """At most one batch per `seconds`: after a quiet moment the next one begins almost at once."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._began_at = -math.inf

    async def wait(self) -> None:
        """Call when the first piece of a batch is there; returns when the batch may begin, with what has come meanwhile."""
        pause = self._began_at + self._seconds - time.monotonic()
        await asyncio.sleep(max(SHORTEST_SECONDS, pause))
        self._began_at = time.monotonic()
