"""Acknowledge what is settled in the same moment together: a batch that was recorded as one is one write to the broker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gateway_common.broker.delivery import Delivery, ack_all


class Acknowledger:
    """Made for one event loop; `stop` waits for what is on its way."""

    def __init__(self) -> None:
        self._settled: list[Delivery] = []
        self._runner: asyncio.Task[None] | None = None

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Soon: with all others of this turn of the event loop."""
        self._settled += deliveries
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner

    async def _run(self) -> None:
        while self._settled:
            batch, self._settled = self._settled, []
            await ack_all(batch)
