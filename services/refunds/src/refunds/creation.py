"""Use case: a merchant gives money back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from gateway_common import context
from gateway_common.clock import Clock
from gateway_common.database import Database
from gateway_common.errors import NotFoundError
from gateway_common.idempotency import Fence, StoredResponse, begin_fence, finish_fence
from gateway_common.ids import has_shape, new_event_id, new_refund_id
from gateway_common.outbox import writing
from gateway_common.outbox.nudge import OutboxNudge
from gateway_common.web.answers import stored
from refunds import rendering, repositories
from refunds.domain.balance import Balance
from refunds.domain.refunds import Refund
from refunds.domain.refusals import NotRefundableError
from refunds.domain.states import RefundStatus
from refunds.payments_client import PaymentsClient


class _PaymentUnknownError(Exception):
    """No event has told of this payment yet."""


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """`amount` in the smallest unit; None is all that is left."""

    merchant_id: UUID
    payment_id: str
    amount: int | None
    reason: str | None
    notes: dict[str, Any] | None


class RefundCreation:
    def __init__(self, database: Database, payments: PaymentsClient, nudge: OutboxNudge, clock: Clock) -> None:
        self._database = database
        self._payments = payments
        self._nudge = nudge
        self._clock = clock
        # Requests for one payment take turns here, so that they do not take all of the pool's connections to wait for
        # one row's lock. The lock is what keeps the cap, over all copies of the service.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def create(self, order: RefundOrder, fence: Fence | None) -> StoredResponse:
        """201 with the pending refund.

        Raises:
            NotFoundError: no such payment of this merchant.
            NotRefundableError, InsufficientRefundAmountError: the rules of `Balance`.
            ServiceUnavailableError: the payment is not known here and payments-api does not answer.
        """
        if not has_shape(order.payment_id, "pay_"):
            raise NotFoundError("Payment not found")
        turn = self._turns.get(order.payment_id)
        if turn is None:
            turn = self._turns[order.payment_id] = asyncio.Lock()
        async with turn:
            try:
                return await self._attempt(order, fence)
            except _PaymentUnknownError:
                # It may have succeeded a moment ago, with its event still on the way.
                balance = await self._payments.balance_of(order.merchant_id, order.payment_id)
                await repositories.hear_of(self._database, [balance])
                return await self._attempt(order, fence)

    async def require_payment(self, merchant_id: UUID, payment_id: str) -> None:
        """Raises `NotFoundError` when the merchant has no such payment, whatever its state."""
        if not await repositories.is_known(self._database, merchant_id, payment_id):
            with suppress(NotRefundableError):
                await self._payments.balance_of(merchant_id, payment_id)

    async def _attempt(self, order: RefundOrder, fence: Fence | None) -> StoredResponse:
        """Raises `_PaymentUnknownError`, with the fence rolled back, when there is no balance yet."""
        now = _whole_milliseconds(self._clock.now())
        async with self._database.transaction() as transaction:
            replay = await begin_fence(transaction, fence, now)
            if replay is not None:
                return replay
            balance = await repositories.lock_balance(transaction, order.merchant_id, order.payment_id)
            if balance is None:
                raise _PaymentUnknownError
            reserved, amount = balance.reserve(order.amount)
            refund = _new_refund(order, balance, amount, now)
            await repositories.save_balances(transaction, [reserved])
            await repositories.add_refund(transaction, refund)
            messages = [rendering.event(refund, reserved, now), rendering.request(refund)]
            await writing.add(transaction, messages)
            response = stored(rendering.public(refund), 201)
            await finish_fence(transaction, fence, response)
        self._nudge.nudge()
        return response


def _new_refund(order: RefundOrder, balance: Balance, amount: int, now: datetime) -> Refund:
    return Refund(
        id=new_refund_id(),
        merchant_id=order.merchant_id,
        payment_id=order.payment_id,
        amount=amount,
        currency=balance.currency,
        reason=order.reason,
        notes=order.notes,
        status=RefundStatus.PENDING,
        is_release=balance.settlement is None,
        created_at=now,
        request_id=context.request_id.get(),
        traceparent=context.traceparent.get(),
        request_message_id=new_event_id(),
    )


def _whole_milliseconds(moment: datetime) -> datetime:
    """What is stored is what is shown, so that `created_lte` with a shown time finds its refund."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
