"""Collect answers and write them in batches; then schedule what failed and teach the breakers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from tenacity import AsyncRetrying, retry_if_exception_type, stop_never, wait_random_exponential

from gateway_common.broker.consumer import TRANSIENT_ERRORS
from gateway_common.clock import Clock
from gateway_common.database import Database
from gateway_common.logs import get_logger
from gateway_common.pacing import Pace
from webhooks import metrics
from webhooks.delivery.sender import Answer
from webhooks.delivery.wakeups import Wakeups
from webhooks.domain.breaker import Breaker, BreakerRules
from webhooks.domain.settlement import AttemptKind, Settlement
from webhooks.repositories import attempts, deliveries, endpoints, health
from webhooks.repositories.attempts import AttemptRecord
from webhooks.repositories.deliveries import Claim, Due
from webhooks.repositories.targets import Target

log = get_logger(__name__)

BATCH_SIZE = 200
PACE_SECONDS = 0.025


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt that is over."""

    claim: Claim
    target: Target
    kind: AttemptKind
    answer: Answer
    settlement: Settlement
    request_headers: dict[str, str]


class Recorder:
    """`put` returns when the outcome is committed and all that follows from it is under way. `run` is a background task."""

    def __init__(self, database: Database, wakeups: Wakeups, clock: Clock, rules: BreakerRules) -> None:
        self._database = database
        self._wakeups = wakeups
        self._clock = clock
        self._rules = rules
        self._queue: asyncio.Queue[tuple[Outcome, asyncio.Future[None]]] = asyncio.Queue()
        self._pace = Pace(PACE_SECONDS)
        # Endpoints that failed lately: a success of theirs must reach their breaker.
        self._suspects: set[str] = set()

    async def put(self, outcome: Outcome) -> None:
        done = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((outcome, done))
        await done

    async def run(self) -> None:
        while True:
            batch = [await self._queue.get()]
            await self._pace.wait()
            while len(batch) < BATCH_SIZE and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                await self._write([outcome for outcome, _ in batch])
            except Exception:
                log.exception("outcome.batch_failed", size=len(batch))
                await self._write_one_by_one([outcome for outcome, _ in batch])
            finally:
                for _, done in batch:
                    if not done.done():
                        done.set_result(None)

    async def _write_one_by_one(self, outcomes: Sequence[Outcome]) -> None:
        """One outcome that cannot be written must not cost the others; its lease ends, and the attempt is repeated."""
        for outcome in outcomes:
            try:
                await self._write([outcome])
            except Exception as error:
                log.error("outcome.lost", delivery_id=str(outcome.claim.id), error=repr(error))

    async def _write(self, outcomes: list[Outcome]) -> None:
        """Until it is written: an answer that came must not be forgotten because PostgreSQL is restarting."""
        async for attempt in AsyncRetrying(
            stop=stop_never,
            wait=wait_random_exponential(multiplier=0.05, max=2),
            retry=retry_if_exception_type(TRANSIENT_ERRORS),
        ):
            with attempt:
                changed = await attempts.record(self._database, [_as_record(outcome) for outcome in outcomes])
        for outcome in outcomes:
            _report(outcome)
        current = [outcome for outcome in outcomes if outcome.claim.id in changed]
        try:
            await self._teach_breakers(current)
            await self._disable_gone(current)
            await self._wakeups.schedule(
                [(_next_due(o.claim, o.settlement), o.settlement.next_retry_at) for o in current], self._clock.now()
            )
        except TRANSIENT_ERRORS as error:
            # The rows say what is due; the sweeper reads them, and the breaker learns from the next failure.
            log.warning("outcome.follow_up_failed", error=repr(error))

    async def _teach_breakers(self, outcomes: Sequence[Outcome]) -> None:
        by_endpoint: dict[str, list[Outcome]] = {}
        for outcome in outcomes:
            by_endpoint.setdefault(outcome.target.endpoint_id, []).append(outcome)
        changes: dict[str, tuple[UUID, health.Change]] = {}
        now = self._clock.now()
        for endpoint_id, group in by_endpoint.items():
            has_failed = any(not outcome.answer.is_success for outcome in group)
            if has_failed or endpoint_id in self._suspects or not all(o.target.breaker.is_clean for o in group):
                changes[endpoint_id] = (group[0].claim.merchant_id, lesson(group, now, self._rules))
        if not changes:
            return
        for endpoint_id, (before, after) in (await health.change(self._database, changes)).items():
            (self._suspects.discard if after.is_clean else self._suspects.add)(endpoint_id)
            if before.state is not after.state:
                log.warning("breaker.changed", endpoint_id=endpoint_id, before=before.state, after=after.state)
            if after.is_open and not before.is_open:
                await deliveries.hold_due(self._database, endpoint_id, now)
                if before.stumbles or before.is_missing:
                    await deliveries.miss_again(self._database, endpoint_id, before.missing_since)

    async def _disable_gone(self, outcomes: Sequence[Outcome]) -> None:
        for claim in (outcome.claim for outcome in outcomes if outcome.settlement.endpoint_is_gone):
            log.warning("endpoint.gone", endpoint_id=claim.endpoint_id, merchant_id=str(claim.merchant_id))
            async with self._database.transaction() as transaction:
                await endpoints.disable_gone(transaction, claim.merchant_id, claim.endpoint_id, self._clock.now())
                await deliveries.stop_all(transaction, claim.endpoint_id, "gone")


def lesson(group: Sequence[Outcome], now: datetime, rules: BreakerRules) -> Callable[[Breaker], Breaker]:
    """What these attempts, in order, teach the breaker of their endpoint."""

    def learn(before: Breaker) -> Breaker:
        breaker = before
        for outcome in group:
            if outcome.answer.is_success:
                breaker = breaker.after_success()
            elif outcome.kind is AttemptKind.PROBE:
                breaker = breaker.after_failed_probe(now, rules)
            elif outcome.kind is AttemptKind.RECOVERY:
                breaker = breaker.after_stumble(now, rules)
            else:
                # The first failure counts from when it was made, so that a schedule begun with it lies in the outage.
                breaker = breaker.after_failure(outcome.answer.started_at, now, rules)
                if outcome.settlement.is_exhausted:
                    breaker = breaker.after_exhaustion(outcome.claim.round_started_at, now, rules)
        return breaker

    return learn


def _next_due(claim: Claim, settlement: Settlement) -> Due:
    return Due(claim.merchant_id, claim.id, claim.endpoint_id, settlement.attempts + 1)


def _as_record(outcome: Outcome) -> AttemptRecord:
    claim, answer, settlement = outcome.claim, outcome.answer, outcome.settlement
    timings, headers = answer.timings, answer.response_headers
    return AttemptRecord(
        claim.merchant_id,
        claim.created_at,
        claim.id,
        claim.round,
        claim.attempts,
        settlement.attempts,
        claim.attempts_made + 1,
        claim.status,
        settlement.status,
        settlement.reason,
        outcome.kind,
        settlement.next_retry_at,
        answer.started_at,
        answer.duration_ms,
        timings.dns_ms,
        timings.connect_ms,
        timings.tls_ms,
        timings.first_byte_ms,
        timings.address,
        answer.response_code,
        answer.error,
        outcome.target.url,
        orjson.dumps(outcome.request_headers).decode(),
        None if headers is None else orjson.dumps(headers).decode().replace("\\u0000", ""),
        answer.response_body,
    )


def _report(outcome: Outcome) -> None:
    claim, answer = outcome.claim, outcome.answer
    metrics.ATTEMPTS.labels(outcome.kind, "success" if answer.is_success else "failure").inc()
    metrics.ATTEMPT_SECONDS.observe(answer.duration_ms / 1000)
    if claim.attempts_made == 0:
        lag = (answer.started_at - claim.created_at) / timedelta(seconds=1)
        metrics.FIRST_ATTEMPT_LAG_SECONDS.observe(max(0.0, lag))
    log.info(
        "delivery.attempted",
        delivery_id=str(claim.id),
        event_id=claim.event_id,
        event_type=claim.event_type,
        endpoint_id=claim.endpoint_id,
        merchant_id=str(claim.merchant_id),
        request_id=claim.request_id,
        kind=str(outcome.kind),
        attempt=claim.attempt,
        status=str(outcome.settlement.status),
        response_code=answer.response_code,
        error=answer.error,
        ms=round(answer.duration_ms, 1),
    )
