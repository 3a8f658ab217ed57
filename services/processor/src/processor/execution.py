"""Operations in flight: thousands of sleeping coroutines over unacknowledged messages; no connection is held meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from gateway_common.broker.delivery import Delivery
from gateway_common.cards import CardVault
from gateway_common.clock import Clock
from gateway_common.errors import CacheUnavailableError
from gateway_common.logs import get_logger
from gateway_common.outbox.nudge import OutboxNudge
from processor import metrics
from processor.acknowledging import Acknowledger
from processor.acquirers import Acquirer, OutcomeUnknownError
from processor.asking import ask
from processor.collector import Collector
from processor.domain.operations import Asked, Operation
from processor.repository import OperationRepository

log = get_logger(__name__)

# A message at fault comes back at once; without a pause it would burn through its delivery limit in milliseconds.
REQUEUE_PAUSE_SECONDS = 0.5


@dataclass(slots=True)
class _InFlight:
    """`deliveries`: the message, and its redeliveries after a lost connection; all are settled together."""

    operation: Operation
    attempts: int
    deliveries: list[Delivery] = field(default_factory=list)


class Execution:
    """Runs each operation to its record, then acknowledges. A process that dies anywhere leaves a message to redeliver."""

    def __init__(
        self, repository: OperationRepository, acquirer: Acquirer, vault: CardVault, nudge: OutboxNudge, clock: Clock
    ) -> None:
        self._repository = repository
        self._acquirer = acquirer
        self._vault = vault
        self._nudge = nudge
        self._clock = clock
        self._in_flight: dict[tuple[str, str], _InFlight] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._records = Collector(self._record)
        self._acknowledger = Acknowledger()

    def join(self, operation: Operation, delivery: Delivery) -> bool:
        """Whether the operation is with the acquirer already; `delivery` is then settled together with the first."""
        running = self._in_flight.get(operation.key)
        if running is None:
            return False
        running.deliveries.append(delivery)
        return True

    def start(self, operation: Operation, delivery: Delivery) -> None:
        """Ask the acquirer in the background. Call `join` first."""
        # RabbitMQ counts earlier deliveries of a message on a quorum queue: each may have asked.
        earlier = delivery.headers.get("x-delivery-count")
        attempts = 1 + (earlier if isinstance(earlier, int) else 0)
        running = _InFlight(operation, attempts, [delivery])
        self._in_flight[operation.key] = running
        metrics.IN_FLIGHT.labels(operation.kind).inc()
        task = asyncio.create_task(self._run(running))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def record(self, asked: Asked) -> None:
        """Returns once it has committed, result event included."""
        await self._records.submit(asked)
        metrics.OUTCOMES.labels(asked.operation.kind, asked.outcome).inc()

    async def forget_card(self, operation: Operation) -> None:
        """Only after the record has committed: until then a redelivery needs the card."""
        if operation.card_token is not None:
            with suppress(CacheUnavailableError):  # it ends by itself within minutes
                await self._vault.delete(operation.card_token)

    async def stop(self) -> None:
        """Cut what has outlived the drain; its messages are delivered again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._acknowledger.stop()

    async def _run(self, running: _InFlight) -> None:
        operation = running.operation
        is_settled = False
        try:
            await self.record(await self._ask(running))
            await self.forget_card(operation)
            is_settled = True
        except Exception:
            log.exception("operation.failed", kind=operation.kind, reference=operation.reference)
            await asyncio.sleep(REQUEUE_PAUSE_SECONDS)
        finally:
            del self._in_flight[operation.key]
            metrics.IN_FLIGHT.labels(operation.kind).dec()
        if is_settled:
            self._acknowledger.ack(running.deliveries)
            return
        for delivery in running.deliveries:
            await delivery.requeue()

    async def _ask(self, running: _InFlight) -> Asked:
        operation = running.operation
        asked_at = self._clock.now()
        try:
            answer = await ask(self._acquirer, self._vault, operation)
        except OutcomeUnknownError:
            answer = None
            log.warning("operation.unknown", kind=operation.kind, reference=operation.reference)
        answered_at = self._clock.now()
        metrics.ACQUIRER_SECONDS.labels(operation.kind).observe((answered_at - asked_at).total_seconds())
        return Asked(operation, asked_at, answered_at, running.attempts, answer)

    async def _record(self, batch: Sequence[Asked]) -> list[None]:
        """The sweeper may learn of an operation in the same moment: one of the two is enough."""
        once = {asked.operation.key: asked for asked in batch}
        await self._repository.record(list(once.values()))
        self._nudge.nudge()
        return [None] * len(batch)
