"""Run a plan against a running gateway and measure it: accepting, verdicts, delivery, what each process used."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from gateway_local.installation import Installation
from loadtests.arrivals import Schedule, in_closed_model, in_open_model
from loadtests.audit import Balance, Evidence, balance
from loadtests.latency import Latency, leave_full_collections_out, summarise
from loadtests.preparing import TERMINAL_EVENTS, new_merchant, subscribe
from loadtests.shop import Outcome, Shop, describe_refusals
from loadtests.sink import Received, Sink
from loadtests.watching import Usage, Watch

Tell = Callable[[str], None]
_MemoryOverTime = list[tuple[float, dict[str, float]]]
DRAIN_SECONDS = 60.0
MEMORY_SECONDS = 15.0
# What merchants hear of a payment that needs nothing else: created, pending, and its verdict.
ALL_PAYMENT_EVENTS = ("payment.created", "payment.pending", "verdict")


@dataclass(frozen=True, slots=True)
class Plan:
    """`per_second` None: closed model with `connections`; otherwise open model with as many connections as it takes.

    `events`: what the webhook endpoint is subscribed to; None for all, which is three webhooks per payment.
    """

    seconds: float
    connections: int = 32
    per_second: float | None = None
    events: tuple[str, ...] | None = TERMINAL_EVENTS

    def __str__(self) -> str:
        arrival = f"{self.connections} connections" if self.per_second is None else f"{self.per_second:g}/s"
        return f"{arrival} for {self.seconds:g} s"


@dataclass(slots=True)
class Report:
    """`accepting_seconds` until the last answer, `total_seconds` until the last webhook. Rates are per second.

    `memory_over_time`: seconds since the start, and MiB of each process.
    """

    plan: Plan
    accepted: int
    delivered: int
    refusals: str
    accepting_seconds: float
    total_seconds: float
    answer: Latency
    to_delivery: Latency
    usage: dict[str, Usage]
    peak_memory_mib: float
    balance: Balance | None
    memory_over_time: _MemoryOverTime = field(default_factory=list)

    @property
    def accepted_per_second(self) -> float:
        return self.accepted / self.accepting_seconds

    @property
    def sustained_per_second(self) -> float:
        """Payments through the whole chain: from the first request to the last delivered webhook."""
        return self.delivered / self.total_seconds

    @property
    def backlog_seconds(self) -> float:
        return self.total_seconds - self.accepting_seconds

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "accepted_per_second": self.accepted_per_second,
            "sustained_per_second": self.sustained_per_second,
        }


class Measurement:
    """One run. `tell` gets a line every second; `evidence` is what the auditor was told."""

    def __init__(self, installation: Installation, status: dict[str, Any], plan: Plan, tell: Tell) -> None:
        self._installation = installation
        self._status = status
        self._plan = plan
        self._tell = tell
        self._decided_at: dict[str, float] = {}
        self._arrived = 0
        self.merchant_id = ""
        self.evidence = Evidence()

    async def run(self, *, audit: bool = True) -> Report:
        leave_full_collections_out()
        merchant = await asyncio.to_thread(new_merchant, self._installation)
        self.merchant_id = merchant.id
        sink = await self._open_sink(merchant)
        shop = Shop(merchant)
        await shop.open(self._plan.connections)
        watch = Watch(self._status)
        reporter = asyncio.create_task(self._report_progress(shop.outcome, watch))
        started = time.time()
        if self._plan.per_second is None:
            await in_closed_model(self._plan.connections, self._plan.seconds, shop.pay)
        else:
            await in_open_model(Schedule(self._plan.per_second, self._plan.seconds), shop.pay)
        answered = time.time()
        await self._drain(shop.outcome)
        usage, memory = watch.usage(), await self._stop(reporter)
        shop.close()
        peak_mib = max(watch.of_services(mib) for _, mib in memory)
        found = None
        if audit:
            await asyncio.sleep(0.5)  # a webhook sent twice would come now
            found = await self._balance(shop.outcome, sink)
        await sink.stop()
        return self._as_report(shop.outcome, started, answered, usage, memory, peak_mib, found)

    async def _open_sink(self, merchant: Any) -> Sink:
        sink = Sink("", self._note)
        await sink.start()
        secret = await asyncio.to_thread(
            subscribe, self._installation, merchant, f"http://127.0.0.1:{sink.port}/", self._plan.events
        )
        sink.use_secret(secret)
        return sink

    def _note(self, webhook: Received) -> None:
        self._arrived += 1
        if webhook.event in TERMINAL_EVENTS:
            self._decided_at.setdefault(webhook.object_id, webhook.at)

    async def _drain(self, outcome: Outcome) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS
        per_payment = len(ALL_PAYMENT_EVENTS) if self._plan.events is None else 1
        while self._arrived < per_payment * len(outcome.accepted) and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    async def _report_progress(self, outcome: Outcome, watch: Watch) -> _MemoryOverTime:
        """Returns, when cancelled, the memory of each process over time."""
        memory: _MemoryOverTime = []
        started, before = time.monotonic(), 0
        try:
            while True:
                await asyncio.sleep(1)
                elapsed, accepted = time.monotonic() - started, len(outcome.accepted)
                if len(memory) < elapsed / MEMORY_SECONDS:
                    # In a thread: the kernel counts each process's pages, 80 ms for all, and requests are due meanwhile.
                    memory.append((elapsed, await asyncio.to_thread(watch.memory_mib)))
                refused = f", refused {sum(outcome.refused.values())}" if outcome.refused else ""
                self._tell(
                    f"{elapsed:4.0f} s  accepted {accepted} ({accepted - before}/s), "
                    f"delivered {len(self._decided_at)}{refused}, services {watch.of_services(memory[-1][1]):.0f} MiB"
                )
                before = accepted
        except asyncio.CancelledError:
            return [*memory, (time.monotonic() - started, watch.memory_mib())]

    async def _stop(self, reporter: asyncio.Task[_MemoryOverTime]) -> _MemoryOverTime:
        reporter.cancel()
        return await reporter

    async def _balance(self, outcome: Outcome, sink: Sink) -> Balance:
        events = None if self._plan.events is None else frozenset(self._plan.events)
        self.evidence = Evidence(frozenset(outcome.accepted), [asdict(one) for one in sink.received], events)
        return await balance(self._status, self.merchant_id, self.evidence)

    def _as_report(
        self,
        outcome: Outcome,
        started: float,
        answered: float,
        usage: dict[str, Usage],
        memory: _MemoryOverTime,
        peak_mib: float,
        found: Balance | None,
    ) -> Report:
        last = max(self._decided_at.values(), default=answered)
        to_delivery = [
            self._decided_at[payment_id] - accepted.due
            for payment_id, accepted in outcome.accepted.items()
            if payment_id in self._decided_at
        ]
        return Report(
            self._plan,
            len(outcome.accepted),
            len(to_delivery),
            describe_refusals(outcome.refused),
            answered - started,
            max(last, answered) - started,
            summarise(outcome.latencies),
            summarise(to_delivery),
            usage,
            peak_mib,
            found,
            memory,
        )
