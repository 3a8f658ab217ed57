"""The simulated bank as an acquirer."""

from __future__ import annotations

import asyncio

from gateway_common.clock import Clock
from gateway_common.errors import ServiceUnavailableError
from processor.acquirers import ChargeRequest, OutcomeUnknownError, RefundRequest
from processor.acquirers.simulator.behaviour import Behaviour, Decision
from processor.acquirers.simulator.books import Booked, Books, Entry
from processor.acquirers.simulator.magic_values import DESCRIPTIONS
from processor.domain.operations import Answer, Kind


class SimulatedBank:
    """Implements `Acquirer`.

    The money moves half way through the delay and the answer comes at its end, as with a real bank: whoever dies in
    between finds a charge that it knows nothing of.
    """

    def __init__(self, books: Books, behaviour: Behaviour, clock: Clock, answer_timeout_seconds: float) -> None:
        """`answer_timeout_seconds`: after this long without an answer the client gives up, and the outcome is unknown."""
        self._books = books
        self._behaviour = behaviour
        self._clock = clock
        self._answer_timeout_seconds = answer_timeout_seconds

    async def charge(self, request: ChargeRequest) -> Answer:
        return await self._work(Kind.CHARGE, request, self._behaviour.decide_charge(request))

    async def refund(self, request: RefundRequest) -> Answer:
        return await self._work(Kind.REFUND, request, self._behaviour.decide_refund(request))

    async def inquire(self, kind: Kind, reference: str) -> Answer | None:
        try:
            booked = await self._books.find(kind, reference)
        except ServiceUnavailableError as error:
            raise OutcomeUnknownError from error
        return None if booked is None else _as_answer(kind, booked)

    async def abandon(self, request: ChargeRequest | RefundRequest, reason: str) -> Answer:
        kind = Kind.CHARGE if isinstance(request, ChargeRequest) else Kind.REFUND
        return _as_answer(kind, await self._books.decide(self._entry(kind, request, False, reason)))

    async def _work(self, kind: Kind, request: ChargeRequest | RefundRequest, decision: Decision) -> Answer:
        if decision.delay_seconds > 0:
            await asyncio.sleep(decision.delay_seconds / 2)
        booked = await self._books.decide(self._entry(kind, request, decision.is_success, decision.reason))
        if decision.is_answer_lost:
            await asyncio.sleep(max(0.0, self._answer_timeout_seconds - decision.delay_seconds / 2))
            raise OutcomeUnknownError
        if decision.delay_seconds > 0:
            await asyncio.sleep(decision.delay_seconds / 2)
        return _as_answer(kind, booked)

    def _entry(self, kind: Kind, request: ChargeRequest | RefundRequest, is_success: bool, reason: str | None) -> Entry:
        return Entry(
            kind,
            request.reference,
            request.payment_id,
            request.merchant_id,
            request.amount,
            request.currency,
            is_success,
            reason,
            self._clock.now(),
        )


def _as_answer(kind: Kind, booked: Booked) -> Answer:
    reference = f"bank_{kind}_{booked.number:012d}"
    if booked.is_success:
        return Answer(is_success=True, acquirer_reference=reference)
    reason = booked.reason or "processing_error"
    return Answer(False, reason, DESCRIPTIONS[reason], reference)
