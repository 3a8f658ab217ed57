"""What the worker consumes: payments to know of, and the bank's answers to refunds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from gateway_common.broker.delivery import Delivery
from gateway_common.clock import Clock
from gateway_common.database import Database
from gateway_common.events import PaymentEvent, RefundResult, parse
from gateway_common.outbox import writing
from gateway_common.outbox.nudge import OutboxNudge
from refunds import rendering, repositories
from refunds.domain.balance import Balance
from refunds.domain.refunds import Refund
from refunds.domain.states import TRANSITIONS, BankAnswer, RefundStatus
from refunds.payments_client import balance_in


class PaymentEvents:
    """Queue `refunds.payments`. Hearing of a payment twice or out of order changes nothing, so no inbox is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def handle(self, batch: Sequence[Delivery]) -> None:
        newest: dict[tuple[UUID, str], Balance] = {}
        for delivery in batch:
            event = parse(PaymentEvent, delivery)
            heard = balance_in(event.merchant_id, event.sequence, event.payment)
            if heard is None:
                continue
            key = (heard.merchant_id, heard.payment_id)
            known = newest.get(key)
            if known is None or (heard.settlement is not None, heard.sequence) > (
                known.settlement is not None,
                known.sequence,
            ):
                newest[key] = heard
        if newest:
            await repositories.hear_of(self._database, list(newest.values()))


class RefundResults:
    """Queue `refunds.results`. Only a pending refund takes an answer (domain/states.py), so repeats change nothing."""

    def __init__(self, database: Database, nudge: OutboxNudge, clock: Clock) -> None:
        self._database = database
        self._nudge = nudge
        self._clock = clock

    async def handle(self, batch: Sequence[Delivery]) -> None:
        results: dict[tuple[UUID, str], tuple[BankAnswer, RefundResult]] = {}
        for delivery in batch:
            answer = BankAnswer.EXECUTED if delivery.type == "refund.executed" else BankAnswer.DECLINED
            result = parse(RefundResult, delivery)
            results.setdefault((result.merchant_id, result.refund_id), (answer, result))  # the first word counts
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            # Balances first, as everywhere: one order of locks, no deadlock.
            payments = [(result.merchant_id, result.payment_id) for _, result in results.values()]
            balances = {
                (balance.merchant_id, balance.payment_id): balance
                for balance in await repositories.lock_balances(transaction, payments)
            }
            finished: list[Refund] = []
            messages: list[writing.OutgoingMessage] = []
            for refund in await repositories.lock_pending(transaction, list(results)):
                answer, result = results[refund.merchant_id, refund.id]
                done, balance = apply(refund, balances[refund.merchant_id, refund.payment_id], answer, result, now)
                balances[refund.merchant_id, refund.payment_id] = balance
                finished.append(done)
                messages.append(rendering.event(done, balance, now))
            if not finished:
                return
            await repositories.finish_refunds(transaction, finished)
            await repositories.save_balances(transaction, list(balances.values()))
            await writing.add(transaction, messages)
        self._nudge.nudge()


def apply(
    refund: Refund, balance: Balance, answer: BankAnswer, result: RefundResult, now: datetime
) -> tuple[Refund, Balance]:
    """The bank's answer to a pending refund."""
    status = TRANSITIONS[refund.status, answer]
    if status is RefundStatus.PROCESSED:
        return replace(refund, status=status, processed_at=now), balance.process(refund.amount)
    failed = replace(
        refund, status=status, failed_at=now, error_reason=result.reason, error_description=result.description
    )
    return failed, balance.fail(refund.amount, is_release=refund.is_release)
