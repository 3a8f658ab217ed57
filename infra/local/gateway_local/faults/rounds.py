"""The rounds: load, harm, lift, drain, balance."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import httpx
from loadtests.audit import Balance
from loadtests.shop import Merchant
from loadtests.sink import Sink

from gateway_local import merchants
from gateway_local.faults import books
from gateway_local.faults.kinds import KINDS, Fault, Prepare, Scene, deck
from gateway_local.faults.shoppers import Shoppers
from gateway_local.ports import LOOPBACK
from gateway_local.problems import Problem

HEAL_PATIENCE_S = 90.0
DRAIN_PATIENCE_S = 60.0
HOPELESS = 3
"""After so many bad rounds in a row the stack is broken for good, and more rounds would tell nothing new."""
CALM_S = 1.0
"""Load after healing, so that a round's last payments are made by a stack that is well."""


@dataclass(slots=True)
class Report:
    """One round. `healed_s`: from the lifting of the fault (or the kill, which lifts itself) until every payment asked
    for before had its verdict delivered by webhook and a new one went the whole way. None: not within patience."""

    number: int
    kind: str
    victim: str
    accepted: int = 0
    refused_s: float = 0.0
    healed_s: float | None = None
    repeats: int = 0
    took_s: float = 0.0
    wrong: list[str] = field(default_factory=list)
    tries: dict[str, int] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return self.healed_s is not None and not self.wrong


@dataclass(frozen=True)
class Plan:
    """Which rounds: `numbers` of the endless sequence that `seed` gives."""

    seed: int
    numbers: Sequence[int]
    per_second: float
    kinds: Sequence[str]


class Rounds:
    """`tell` hears of each round when it is over."""

    def __init__(
        self, scene: Scene, plan: Plan, tell: Callable[[Report], None], kinds: Mapping[str, Prepare] = KINDS
    ) -> None:
        self._scene = scene
        self._plan = plan
        self._tell = tell
        self._kinds = kinds

    async def run(self) -> list[Report]:
        reports = []
        for number in self._plan.numbers:
            started = time.monotonic()
            kind = deck(self._plan.seed, number, list(self._plan.kinds))
            random = Random(f"{self._plan.seed}:{number}")  # noqa: S311 - repeatable on purpose
            fault = self._kinds[kind](self._scene, random)
            report = Report(number, kind, fault.victim)
            try:
                await self._round(report, fault, random)
            except Problem as problem:
                report.wrong.append(str(problem))
            report.took_s = time.monotonic() - started
            self._tell(report)
            reports.append(report)
            if len(reports) >= HOPELESS and not any(one.holds for one in reports[-HOPELESS:]):
                break
        return reports

    async def _round(self, report: Report, fault: Fault, random: Random) -> None:
        async with self._merchant(random) as (merchant_id, shoppers, sink):
            paying = asyncio.create_task(shoppers.pay_for_ever())
            await asyncio.sleep(random.uniform(0.7, 2.0))
            lifted = await self._harm(fault)
            report.healed_s = await self._heal(shoppers, lifted)
            await asyncio.sleep(CALM_S)
            paying.cancel()
            report.refused_s = shoppers.longest_refusal_s(time.monotonic())
            balance = await self._drain(merchant_id, shoppers, sink)
            report.wrong = [str(check) for check in balance.checks if not check.holds]
            report.accepted = len(shoppers.accepted)
            report.repeats = books.repeats(sink.received)
            report.tries = dict(shoppers.tries)

    async def _harm(self, fault: Fault) -> float:
        """Returns when it was lifted, on the clock of `time.monotonic`."""
        try:
            await fault.begin()
            if fault.end is None:
                return time.monotonic()
            await asyncio.sleep(fault.lasts_s)
        finally:
            if fault.end is not None:
                lifted = time.monotonic()
                await fault.end()
        return lifted

    async def _heal(self, shoppers: Shoppers, lifted: float) -> float | None:
        while time.monotonic() < lifted + HEAL_PATIENCE_S:
            if shoppers.has_verdict_since(lifted) and not shoppers.open(lifted):
                return time.monotonic() - lifted
            await asyncio.sleep(0.05)
        return None

    async def _drain(self, merchant_id: str, shoppers: Shoppers, sink: Sink) -> Balance:
        """Asks for the balance until it holds: an event that is still on its way is not lost."""
        deadline = time.monotonic() + DRAIN_PATIENCE_S
        await asyncio.to_thread(self._scene.stack.wait_healthy)
        while shoppers.open() and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        while True:
            balance = await books.balance(self._scene.stack.status(), merchant_id, shoppers, sink.received)
            if balance.holds or time.monotonic() > deadline:
                return balance
            await asyncio.sleep(0.5)

    @asynccontextmanager
    async def _merchant(self, random: Random) -> AsyncIterator[tuple[str, Shoppers, Sink]]:
        """A merchant of this round's own, whose webhooks come to a sink of this process."""
        installation = self._scene.stack.installation
        name = f"faults-{secrets.token_hex(6)}@example.com"
        made = await asyncio.to_thread(merchants.create, installation, os.environ, "Fault rounds", name)
        merchant = Merchant(
            LOOPBACK, installation.ports["GATEWAY_PORT"], made["id"], made["api_key"], made["api_secret"]
        )
        shoppers = Shoppers(merchant, self._plan.per_second, random)
        sink = Sink(made["webhook_secret"], shoppers.arrived)
        await sink.start()
        async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{merchant.port}/api/v1", timeout=10) as client:
            answer = await client.put(
                "/webhooks/config",
                json={"webhook_url": f"http://{LOOPBACK}:{sink.port}/"},
                auth=(made["api_key"], made["api_secret"]),
            )
        answer.raise_for_status()
        try:
            yield made["id"], shoppers, sink
        finally:
            await shoppers.end()
            await sink.stop()
