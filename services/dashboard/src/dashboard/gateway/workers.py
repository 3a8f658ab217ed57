"""Whether the gateway's workers run, as payments-api reports it; asked at most every two seconds."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from dashboard.gateway.payments import Payments
from gateway_common.errors import GatewayError

CACHE_SECONDS = 1.8


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """`worker_status` is `running`, `stopped`, or `unknown` when payments-api does not answer."""

    worker_status: str
    pending: int = 0
    processing: int = 0
    completed: int = 0
    failed: int = 0
    queues: list[dict[str, Any]] = field(default_factory=list)


class Workers:
    def __init__(self, payments: Payments) -> None:
        self._payments = payments
        self._lock = asyncio.Lock()
        self._until = 0.0
        self._status = WorkerStatus("unknown")

    async def status(self) -> WorkerStatus:
        """However many pages ask, one question at a time."""
        async with self._lock:
            if time.monotonic() >= self._until:
                self._status = await self._ask()
                self._until = time.monotonic() + CACHE_SECONDS
            return self._status

    async def _ask(self) -> WorkerStatus:
        try:
            found = await self._payments.jobs_status()
        except GatewayError:
            return WorkerStatus("unknown")
        counts = {name: int(found.get(name) or 0) for name in ("pending", "processing", "completed", "failed")}
        return WorkerStatus(found["worker_status"], **counts, queues=found.get("queues") or [])
