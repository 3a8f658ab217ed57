"""Capture and cancel: what a merchant may do to a successful payment.

Phases around a call that cannot be undone: look, ask refunds (whose first decision stays, so asking twice is
harmless), then record in one transaction. Whoever changes the row answers 200; everyone else is refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from gateway_common import context
from gateway_common.database import Connection
from gateway_common.errors import BadRequestError, NotFoundError
from gateway_common.idempotency import Fence, StoredResponse, begin_fence, finish_fence
from gateway_common.ids import has_shape
from gateway_common.outbox import writing
from payments_api.dependencies import Dependencies
from payments_api.domain.payment import Payment
from payments_api.domain.states import Event, after
from payments_api.rendering import event_json, payment_json
from payments_api.repositories import orders_paid, payments, rollups
from payments_api.repositories.rollups import RollupChange

Change = Callable[[Connection, Payment, datetime], Awaitable[Payment]]


async def capture_payment(
    using: Dependencies, merchant_id: UUID, payment_id: str, amount: int | None, fence: Fence | None
) -> StoredResponse:
    """Take the money of a successful payment, or a part of it, once. `amount` is in the smallest unit; None is all
    that was not refunded.

    Raises:
        NotFoundError: no such payment of this merchant.
        BadRequestError: not successful, captured before, or more than there is.
        ServiceUnavailableError: the refunds service cannot be asked.
    """
    payment = await _find(using, merchant_id, payment_id)
    refused = BadRequestError("Payment not in capturable state", reason="payment_not_capturable")
    if after(payment.state, Event.CAPTURE) is None:
        return await _replay_or_refuse(using, fence, refused)
    if amount is not None and amount > payment.amount:
        raise BadRequestError(
            "Capture amount exceeds payment amount", field="amount", reason="capture_amount_too_large"
        )
    decision = await using.settlements.decide(payment, "capture", amount)
    taken = decision.amount_captured
    if decision.kind != "capture" or (amount is not None and amount != taken):
        raise refused  # another request was first

    async def change(transaction: Connection, payment: Payment, now: datetime) -> Payment:
        if after(payment.state, Event.CAPTURE) is None:
            raise refused
        limit = min(payment.amount, taken + decision.amount_refunded)
        captured = await payments.mark_captured(transaction, payment, taken, limit, now, context.request_id.get())
        if released := payment.amount - taken:
            await rollups.add(transaction, merchant_id, payment.created_at, RollupChange(amount=-released))
        return captured

    return await _change(using, merchant_id, payment_id, fence, "payment.captured", change)


async def cancel_payment(
    using: Dependencies, merchant_id: UUID, payment_id: str, fence: Fence | None
) -> StoredResponse:
    """Let go of a successful payment that was not captured; its order may be paid again.

    Raises:
        NotFoundError: no such payment of this merchant.
        BadRequestError: not successful, captured, or refunded already.
        ServiceUnavailableError: the refunds service cannot be asked.
    """
    payment = await _find(using, merchant_id, payment_id)
    refused = BadRequestError("Payment not in cancellable state", reason="payment_not_cancellable")
    if after(payment.state, Event.CANCEL) is None:
        return await _replay_or_refuse(using, fence, refused)
    if (await using.settlements.decide(payment, "cancel", None)).kind != "cancel":
        raise refused  # a capture was first

    async def change(transaction: Connection, payment: Payment, now: datetime) -> Payment:
        if after(payment.state, Event.CANCEL) is None:
            raise refused
        cancelled = await payments.mark_cancelled(transaction, payment, now, context.request_id.get())
        await orders_paid.take_back(transaction, cancelled)
        await rollups.add(
            transaction,
            merchant_id,
            payment.created_at,
            RollupChange(success_count=-1, cancelled_count=1, amount=-payment.amount),
        )
        return cancelled

    return await _change(using, merchant_id, payment_id, fence, "payment.cancelled", change)


async def _find(using: Dependencies, merchant_id: UUID, payment_id: str) -> Payment:
    found = await payments.find(using.database, merchant_id, payment_id) if has_shape(payment_id, "pay_") else None
    if found is None:
        raise NotFoundError("Payment not found")
    return found


async def _replay_or_refuse(using: Dependencies, fence: Fence | None, refused: BadRequestError) -> StoredResponse:
    """A repeat whose first answer Redis has lost finds it at the fence."""
    async with using.database.transaction() as transaction:
        replay = await begin_fence(transaction, fence, using.now())
        if replay is None:
            raise refused
    return replay


async def _change(
    using: Dependencies, merchant_id: UUID, payment_id: str, fence: Fence | None, event_type: str, change: Change
) -> StoredResponse:
    """Fence, lock, change, event and kept response in one transaction; answered only after it has committed."""
    now = using.now()
    async with using.database.transaction() as transaction:
        replay = await begin_fence(transaction, fence, now)
        if replay is not None:
            return replay
        payment = await payments.lock(transaction, merchant_id, payment_id)
        if payment is None:
            raise NotFoundError("Payment not found")
        changed = await change(transaction, payment, now)
        event = event_json(changed, changed.sequence, now)
        await writing.add(transaction, [writing.OutgoingMessage(event_type, merchant_id, event, now)])
        response = StoredResponse(200, payment_json(changed))
        await finish_fence(transaction, fence, response)
    using.nudge.nudge()
    return response
