"""Resolve unknown outcomes: by asking the acquirer what became of them, never by asking for the money again."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from gateway_common.clock import Clock
from gateway_common.logs import get_logger
from processor import metrics
from processor.acquirers import Acquirer, OutcomeUnknownError
from processor.asking import as_request
from processor.domain.operations import Answer, Asked
from processor.execution import Execution
from processor.repository import Known, OperationRepository

log = get_logger(__name__)

BATCH_SIZE = 100
BANK_TIMEOUT = "bank_timeout"


class Inquiries:
    """`sweep` is called every second or so; several processes may, each claims other operations.

    Args:
        abandon_after: an operation that the acquirer still has no record of this long after it was asked for is
            abandoned there, and so becomes declined. While the acquirer cannot be asked it stays unknown: an alert on
            `processor_oldest_unknown_seconds` calls for a person.
    """

    def __init__(
        self,
        repository: OperationRepository,
        acquirer: Acquirer,
        execution: Execution,
        clock: Clock,
        abandon_after: timedelta,
    ) -> None:
        self._repository = repository
        self._acquirer = acquirer
        self._execution = execution
        self._clock = clock
        self._abandon_after = abandon_after

    async def sweep(self) -> None:
        while True:
            due = await self._repository.claim_due(self._clock.now(), BATCH_SIZE)
            await asyncio.gather(*(self._resolve(known) for known in due))
            if len(due) < BATCH_SIZE:
                break
        count, oldest = await self._repository.unknown_outcomes()
        metrics.UNKNOWN.set(count)
        metrics.OLDEST_UNKNOWN_SECONDS.set(0 if oldest is None else (self._clock.now() - oldest).total_seconds())

    async def _resolve(self, known: Known) -> None:
        operation = known.operation
        try:
            answer = await self._inquire(known)
        except OutcomeUnknownError:
            answer = None
        log.info(
            "operation.inquired",
            kind=operation.kind,
            reference=operation.reference,
            inquiry=known.inquiries,
            outcome=None if answer is None else answer.is_success,
        )
        if answer is not None:
            await self._execution.record(Asked(operation, known.asked_at, self._clock.now(), known.attempts, answer))

    async def _inquire(self, known: Known) -> Answer | None:
        answer = await self._acquirer.inquire(known.operation.kind, known.operation.reference)
        if answer is None and self._clock.now() - known.asked_at >= self._abandon_after:
            return await self._acquirer.abandon(as_request(known.operation), BANK_TIMEOUT)
        return answer
