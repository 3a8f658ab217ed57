"""The delivery engine of one worker process: takes due deliveries over, at most so many per endpoint, and sends them.

No broker message is held while a merchant's server is waited for: a message is acknowledged once its row is leased,
and the lease, not the message, brings a delivery back after a crash (docs/decisions/0031).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any

from gateway_common import context, tracing
from gateway_common.broker.consumer import TRANSIENT_ERRORS
from gateway_common.broker.delivery import Delivery
from gateway_common.clock import Clock
from gateway_common.database import Database
from gateway_common.events import DeliveryDue, parse
from gateway_common.logs import get_logger
from webhooks import metrics
from webhooks.delivery.lanes import Lane, Lanes
from webhooks.delivery.recorder import Outcome, Recorder
from webhooks.delivery.sender import Answer, Sender
from webhooks.delivery.wakeups import SWEPT_HEADER
from webhooks.domain.schedule import Schedules, read_retry_after
from webhooks.domain.settlement import ASKS_FOR_LESS, AttemptKind, settle
from webhooks.domain.signing import request_headers
from webhooks.domain.states import DeliveryStatus
from webhooks.repositories import deliveries
from webhooks.repositories.deliveries import Claim, Due
from webhooks.repositories.planning import PlannedDelivery
from webhooks.repositories.targets import Target, load_targets
from webhooks.sealing import SecretSealer

log = get_logger(__name__)

USER_AGENT = "PaymentGateway-Webhooks/1.0"
# Longer than an attempt (5 s) and its recording; shorter than a person would wait after a crash.
LEASE = timedelta(seconds=12)
PULL_RETRY_SECONDS = 1.0


class DeliveryEngine:
    """`offer` and `handle` take deliveries over; `send_now` makes one attempt and waits for it."""

    def __init__(
        self,
        database: Database,
        sender: Sender,
        recorder: Recorder,
        sealer: SecretSealer,
        clock: Clock,
        schedules: Schedules,
        *,
        in_flight: int,
        retry_after_cap: timedelta,
    ) -> None:
        self._database = database
        self._sender = sender
        self._recorder = recorder
        self._sealer = sealer
        self._clock = clock
        self._schedules = schedules
        self._retry_after_cap = retry_after_cap
        self._lanes = Lanes()
        self._room = asyncio.Semaphore(in_flight)
        self._sends: set[asyncio.Task[None]] = set()
        self._pulls: set[asyncio.Task[None]] = set()
        self._is_draining = False

    async def handle(self, batch: Sequence[Delivery]) -> None:
        """The batch handler of `webhooks.deliver`. Returns once rows are leased; the messages may then go."""
        messages = [parse(DeliveryDue, delivery) for delivery in batch]
        for message, delivery in zip(messages, batch, strict=True):
            if SWEPT_HEADER in delivery.headers:
                # The sweeper sends a few words only, and a lane that has slots for all of them would not look for more.
                self._lanes.of(message.endpoint_id).has_backlog = True
        await self._take_over([Due(m.merchant_id, m.delivery_id, m.endpoint_id, m.attempt) for m in messages])

    async def offer(self, planned: Sequence[PlannedDelivery]) -> None:
        """First attempts, straight from the planner: the broker would only bring them back here."""
        await self._take_over([Due(one.merchant_id, one.id, one.endpoint_id, 1) for one in planned])

    async def send_now(self, claim: Claim, kind: AttemptKind) -> bool | None:
        """One attempt outside of the lanes (probe, recovery): whether it succeeded; None when it must not be sent."""
        target = (await load_targets(self._database, self._sealer, [claim.endpoint_id], self._clock.now())).get(
            claim.endpoint_id
        )
        if target is None or target.reason_to_stop is not None:
            reason = "endpoint_deleted" if target is None else target.reason_to_stop
            await deliveries.cancel_claimed(self._database, [claim], reason or "endpoint_deleted")
            return None
        async with self._room:
            answer, outcome = await self._attempt(claim, target, kind)
            await self._recorder.put(outcome)
        return answer.is_success

    async def drain(self, timeout_seconds: float) -> None:
        """Take nothing more over, and wait for what is under way."""
        self._is_draining = True
        for pull in self._pulls:
            pull.cancel()
        if waiting := self._sends | self._pulls:
            await asyncio.wait(waiting, timeout=timeout_seconds)

    async def _take_over(self, dues: Sequence[Due]) -> None:
        by_endpoint: dict[str, list[Due]] = {}
        for due in dict.fromkeys(dues):
            by_endpoint.setdefault(due.endpoint_id, []).append(due)
        chosen: list[Due] = []
        for endpoint_id, waiting in by_endpoint.items():
            lane = self._lanes.of(endpoint_id)
            # The rest stays in the database and is pulled from there when a slot is free: it holds nothing here.
            chosen += waiting[: lane.reserve(len(waiting))]
        try:
            await self._dispatch(await self._claim(chosen))
        finally:
            # Slots may have been given back without a request whose end would pull.
            for endpoint_id in by_endpoint:
                self._pull_if_waiting(self._lanes.of(endpoint_id))

    async def _claim(self, chosen: Sequence[Due]) -> list[Claim]:
        """Lease those that are really due; the others give their lane slot back."""
        if not chosen:
            return []
        now = self._clock.now()
        claims: list[Claim] = []
        try:
            claims = await deliveries.claim(self._database, chosen, now, now + LEASE)
        finally:
            claimed = {claim.id for claim in claims}
            for due in chosen:
                if due.id not in claimed:
                    self._lanes.of(due.endpoint_id).release()
        return claims

    async def _dispatch(self, claims: Sequence[Claim]) -> None:
        """Send each claim, whose lane slot is taken already; stop or hold those whose endpoint says so."""
        if not claims:
            return
        try:
            targets = await load_targets(
                self._database, self._sealer, [claim.endpoint_id for claim in claims], self._clock.now()
            )
        except BaseException:
            for claim in claims:
                self._lanes.of(claim.endpoint_id).release()
            raise
        stopped: dict[str, list[Claim]] = {}
        held: list[Claim] = []
        for claim in claims:
            target = targets.get(claim.endpoint_id)
            if target is not None and target.reason_to_stop is None and not target.breaker.is_open:
                await self._room.acquire()
                self._start(self._send(claim, target, self._lanes.of(claim.endpoint_id)), self._sends)
                continue
            self._lanes.of(claim.endpoint_id).release()
            if target is not None and target.reason_to_stop is None:
                held.append(claim)
            else:
                reason = "endpoint_deleted" if target is None else target.reason_to_stop or ""
                stopped.setdefault(reason, []).append(claim)
        for reason, group in stopped.items():
            await deliveries.cancel_claimed(self._database, group, reason)
        if held:
            await deliveries.hold_claimed(self._database, held)

    async def _send(self, claim: Claim, target: Target, lane: Lane) -> None:
        metrics.IN_FLIGHT.inc()
        try:
            try:
                answer, outcome = await self._attempt(claim, target, AttemptKind.SCHEDULED)
                lane.cap.record(
                    answer.duration_ms / 1000,
                    is_success=answer.is_success,
                    asks_for_less=answer.response_code in ASKS_FOR_LESS,
                )
                if answer.response_code in ASKS_FOR_LESS:
                    self._pause(lane, answer)
            finally:
                lane.release()
                self._pull_if_waiting(lane)
            await self._recorder.put(outcome)
        finally:
            metrics.IN_FLIGHT.dec()
            self._room.release()

    async def _attempt(self, claim: Claim, target: Target, kind: AttemptKind) -> tuple[Answer, Outcome]:
        body = claim.body.encode()
        headers = request_headers(
            target.secrets,
            event_id=claim.event_id,
            event_type=claim.event_type,
            attempt=claim.attempt,
            timestamp=int(self._clock.now().timestamp()),
            body=body,
            user_agent=USER_AGENT,
        )
        asked_at = time.perf_counter()
        answer = await self._sender.send(target.url, headers, body)
        ended_at = self._clock.now()
        if tracing.is_on():
            parent = tracing.recall(claim.event_id)
            tracing.record(
                f"webhook {claim.event_type}", "client", seconds=time.perf_counter() - asked_at,
                span=context.accept_traceparent(parent), parent=parent, is_error=not answer.is_success,
                attributes={"messaging.message.id": claim.event_id, "gateway.attempt": claim.attempt},
            )  # fmt: skip
        settlement = settle(
            kind,
            DeliveryStatus(claim.status),
            claim.attempts,
            is_success=answer.is_success,
            response_code=answer.response_code,
            schedule=self._schedules.named(target.schedule),
            ended_at=ended_at,
            retry_after=read_retry_after(answer.retry_after, ended_at, self._retry_after_cap),
        )
        return answer, Outcome(claim, target, kind, answer, settlement, headers)

    def _pause(self, lane: Lane, answer: Answer) -> None:
        """429 and 503 with `Retry-After`: others for this endpoint wait as long."""
        pause = read_retry_after(answer.retry_after, self._clock.now(), self._retry_after_cap)
        if pause:
            lane.pause(pause.total_seconds())

    def _pull_if_waiting(self, lane: Lane) -> None:
        if not lane.has_backlog or lane.is_pulling or self._is_draining:
            return
        # Not for each freed slot: half of them at a time keeps the endpoint busy and the statements few.
        if lane.free * 2 >= lane.cap.slots or lane.active == 0:
            lane.is_pulling = True
            self._start(self._pull(lane), self._pulls)

    async def _pull(self, lane: Lane) -> None:
        """Lease what waits in the database for this endpoint, as much as there are free slots, until nothing is left."""
        try:
            while lane.has_backlog and not self._is_draining:
                if (pause := lane.paused_until - time.monotonic()) > 0:
                    await asyncio.sleep(pause)
                if lane.free == 0:
                    return  # the next request that ends pulls again
                try:
                    await self._pull_once(lane)
                except TRANSIENT_ERRORS as error:
                    log.warning("lane.pull_failed", endpoint_id=lane.endpoint_id, error=repr(error))
                    await asyncio.sleep(PULL_RETRY_SECONDS)
        finally:
            lane.is_pulling = False

    async def _pull_once(self, lane: Lane) -> None:
        taken = lane.reserve(lane.free)
        # Before the claim: what another batch leaves behind meanwhile may not be seen by it.
        lane.has_backlog = False
        now = self._clock.now()
        claims: list[Claim] = []
        try:
            claims = await deliveries.claim_due(self._database, lane.endpoint_id, now, now + LEASE, taken)
        except BaseException:
            lane.has_backlog = True
            raise
        finally:
            lane.release(taken - len(claims))
        if len(claims) == taken:
            lane.has_backlog = True
        await self._dispatch(claims)

    def _start(self, work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
