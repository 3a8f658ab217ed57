"""What the asynchronous side is doing (`/api/v1/test/jobs/status`), asked of the broker and the tables at most once a second."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from gateway_common.broker.consumer import queue_depths
from gateway_common.broker.topology import PARKED_QUEUES, PROCESSOR_CHARGES, WORK_QUEUES
from gateway_common.database import Database
from gateway_common.errors import BrokerUnavailableError
from payments_api.repositories import rollups

KEPT_SECONDS = 1.0

_WAITING = """
SELECT (SELECT count(*) FROM payments WHERE status = 'pending') AS payments,
    (SELECT count(*) FROM outbox WHERE sent_at IS NULL) AS messages
"""


@dataclass(frozen=True, slots=True)
class QueueState:
    name: str
    ready: int
    consumers: int
    parked: int


@dataclass(frozen=True, slots=True)
class BrokerState:
    """`queues` is empty when the broker cannot be asked."""

    is_connected: bool
    queues: tuple[QueueState, ...]

    @property
    def is_every_queue_consumed(self) -> bool:
        return len(self.queues) == len(WORK_QUEUES) and all(queue.consumers > 0 for queue in self.queues)


@dataclass(frozen=True, slots=True)
class Jobs:
    """`pending` waits in the broker or for it, `processing` is with the bank, `completed` has its verdict, `failed` was put aside."""

    pending: int
    processing: int
    completed: int
    failed: int


class JobStatus:
    """`broker_url` is this service's own user; asking for a queue's depth needs no permission on it."""

    def __init__(self, database: Database, broker_url: str) -> None:
        self._database = database
        self._broker_url = broker_url
        self._asking = asyncio.Lock()
        self._known: tuple[float, BrokerState] | None = None

    async def broker(self) -> BrokerState:
        """The queues, not older than `KEPT_SECONDS`; whoever asks meanwhile waits for the one who does."""
        async with self._asking:
            if self._known is not None and time.monotonic() - self._known[0] < KEPT_SECONDS:
                return self._known[1]
            state = await self._ask()
            self._known = (time.monotonic(), state)
            return state

    async def jobs(self) -> tuple[Jobs, BrokerState]:
        """Raises `DatabaseUnavailableError`."""
        broker = await self.broker()
        row = await self._database.fetch_one(_WAITING)
        assert row is not None, "a SELECT without FROM has one row"
        waiting_charges = sum(queue.ready for queue in broker.queues if queue.name == PROCESSOR_CHARGES.name)
        jobs = Jobs(
            pending=sum(queue.ready for queue in broker.queues) + row["messages"],
            processing=max(0, row["payments"] - waiting_charges),
            completed=await rollups.decided_of_all(self._database),
            failed=sum(queue.parked for queue in broker.queues),
        )
        return jobs, broker

    async def _ask(self) -> BrokerState:
        names = [queue.name for queue in (*WORK_QUEUES, *PARKED_QUEUES)]
        try:
            async with asyncio.timeout(2):
                depths = await queue_depths(self._broker_url, names)
        except (BrokerUnavailableError, TimeoutError):
            return BrokerState(False, ())
        queues = [
            QueueState(queue.name, *depths[queue.name], depths.get(queue.parked_name, (0, 0))[0])
            for queue in WORK_QUEUES
            if queue.name in depths
        ]
        return BrokerState(True, tuple(queues))
