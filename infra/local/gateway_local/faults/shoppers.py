"""Constant load by a merchant who follows the rules: no answer means try again with the same Idempotency-Key."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

import orjson
from loadtests.connection import NO_ANSWER, Answer, Connection, connect
from loadtests.shop import Merchant
from loadtests.sink import Received

ANSWER_TIMEOUT_S = 5.0
# Doubled with each failure, as a merchant's client does: those who hammer keep a gateway down that wants to come back.
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 3.0
VISA = {"number": "4242424242424242", "expiry_month": 12, "expiry_year": 2040, "cvv": "123", "holder_name": "A B"}
UPI: dict[str, object] = {"method": "upi", "vpa": "success@upi"}
CARD: dict[str, object] = {"method": "card", "card": VISA}
PAYERS = (*[UPI] * 15, UPI | {"vpa": "failure@upi"}, UPI | {"vpa": "late@upi"}, *[CARD] * 3)
VERDICTS = {"payment.success", "payment.failed"}
SUCCESSES = {"payment.success", "refund.processed"}
REFUND_VERDICTS = {"refund.processed", "refund.failed"}


@dataclass(slots=True)
class Wanted:
    """Something asked for under one key: `ids` are all objects ever named in answers to it (more than one is a finding)."""

    key: str
    begun_at: float
    ids: set[str] = field(default_factory=set)
    accepted_at: float | None = None
    verdict_at: float | None = None
    is_success: bool = False
    refused: str | None = None
    """A definite no (4xx that will not change)."""

    @property
    def is_open(self) -> bool:
        return self.refused is None and self.verdict_at is None


class Shoppers:
    """`pay_for_ever` sends `per_second` payments; some are refunded, captured, or sent twice at once."""

    def __init__(self, merchant: Merchant, per_second: float, random: Random) -> None:
        self.payments: list[Wanted] = []
        self.refunds: list[Wanted] = []
        self.tries: Counter[str] = Counter()
        """Answers by kind, as `201` or `503 database_unavailable`; `no answer` when there was none."""
        self._merchant = merchant
        self._per_second = per_second
        self._random = random
        self._idle: list[Connection] = []
        self._waiting: dict[str, Wanted] = {}
        self._early: dict[str, tuple[float, bool]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def pay_for_ever(self) -> None:
        """Until cancelled; what is under way then goes on."""
        due = time.monotonic()
        while True:
            due += 1 / self._per_second
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self._spawn(self._buy(dict(self._random.choice(PAYERS)), self._random.random()))

    def arrived(self, webhook: Received) -> None:
        """For the sink: a verdict that came by webhook."""
        if webhook.event in VERDICTS or webhook.event in REFUND_VERDICTS:
            verdict = (time.monotonic(), webhook.event in SUCCESSES)
            wanted = self._waiting.pop(webhook.object_id, None)
            if wanted is None:
                self._early.setdefault(webhook.object_id, verdict)
            else:
                wanted.verdict_at, wanted.is_success = verdict

    @property
    def accepted(self) -> frozenset[str]:
        return frozenset(one for wanted in self.payments for one in wanted.ids)

    def open(self, begun_before: float = float("inf")) -> int:
        """How many are without an answer or a verdict yet."""
        everything = (*self.payments, *self.refunds)
        return sum(1 for wanted in everything if wanted.begun_at < begun_before and wanted.is_open)

    def has_verdict_since(self, moment: float) -> bool:
        """Whether a payment begun after `moment` has gone the whole way."""
        return any(wanted.begun_at > moment and wanted.verdict_at is not None for wanted in self.payments)

    def longest_refusal_s(self, until: float) -> float:
        """The longest time in which no payment was accepted, though they were asked for all the time."""
        moments = sorted(wanted.accepted_at for wanted in self.payments if wanted.accepted_at is not None)
        moments.append(until)
        return max((after - before for before, after in pairwise(moments)), default=0.0)

    def keys_with_two_objects(self) -> list[str]:
        return [wanted.key for wanted in (*self.payments, *self.refunds) if len(wanted.ids) > 1]

    def refusals(self) -> list[str]:
        return [f"{wanted.key}: {wanted.refused}" for wanted in (*self.payments, *self.refunds) if wanted.refused]

    async def end(self) -> None:
        """Gives up what is still under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in self._idle:
            connection.close()

    async def _buy(self, payer: dict[str, object], dice: float) -> None:
        key = secrets.token_hex(12)
        wanted = Wanted(key, time.monotonic())
        self.payments.append(wanted)
        amount = 1000 + int(dice * 100_000)
        # The merchant's own reference is made from the key: two payments with it in our books are a finding.
        body = {"order_id": f"ref-{key}", "amount": amount, **payer}
        if dice < 0.05:
            await asyncio.gather(*(self._ask("/payments", body, wanted) for _ in range(2)))
        else:
            await self._ask("/payments", body, wanted)
        if wanted.refused or dice > 0.2 or payer.get("vpa") not in ("success@upi", None):
            return
        while wanted.verdict_at is None:
            await asyncio.sleep(0.2)
        if not wanted.is_success:  # a card that Redis lost is declined, rightly
            return
        (payment_id,) = list(wanted.ids)[:1]
        if dice < 0.15:
            refund = Wanted(secrets.token_hex(12), time.monotonic())
            self.refunds.append(refund)
            await self._ask(f"/payments/{payment_id}/refunds", {"amount": 1 + amount // 3}, refund)
        else:
            captured = Wanted(secrets.token_hex(12), time.monotonic())
            await self._ask(f"/payments/{payment_id}/capture", {}, captured)

    async def _ask(self, path: str, body: dict[str, object], wanted: Wanted) -> None:
        """Sends it with the one key until there is a definite answer."""
        request = self._merchant.request("POST", path, body, wanted.key)
        pause = FIRST_PAUSE_S
        while True:
            answer = await self._exchange(request)
            kind = _kind(answer)
            self.tries[kind] += 1
            if answer.status in (200, 201):
                self._accept(wanted, str(orjson.loads(answer.body)["id"]))
                return
            if 400 <= answer.status < 500 and answer.status not in (401, 408, 409, 429):
                wanted.refused = f"{kind} {answer.body.decode(errors='replace')[:200]}"
                return
            await asyncio.sleep(pause * self._random.uniform(0.5, 1.5))
            pause = min(pause * 2, LONGEST_PAUSE_S)

    def _accept(self, wanted: Wanted, object_id: str) -> None:
        wanted.ids.add(object_id)
        if wanted.accepted_at is None:
            wanted.accepted_at = time.monotonic()
            if (early := self._early.pop(object_id, None)) is not None:
                wanted.verdict_at, wanted.is_success = early
            else:
                self._waiting[object_id] = wanted

    async def _exchange(self, request: bytes) -> Answer:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S), self._connection() as connection:
                return await connection.send(request)
        except (OSError, TimeoutError):
            return NO_ANSWER

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """One that answered its last request, or a new one; whatever goes wrong on it is its end."""
        connection = None
        while self._idle and (connection is None or not connection.is_open):
            connection = self._idle.pop()
        if connection is None or not connection.is_open:
            connection = await connect(self._merchant.host, self._merchant.port)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if connection.is_open:
            self._idle.append(connection)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _kind(answer: Answer) -> str:
    if answer.status == 0:
        return "no answer"
    if answer.status < 400:
        return str(answer.status)
    try:
        error = orjson.loads(answer.body)["error"]
        return f"{answer.status} {error.get('reason') or error.get('code')}"
    except (ValueError, KeyError, TypeError):
        return str(answer.status)
