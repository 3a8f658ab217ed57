"""Accept a payment: validate, hand card data to the vault, one statement, answer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gateway_common.errors import (
    CacheUnavailableError,
    DatabaseUnavailableError,
    InternalError,
    InvalidCardError,
    NotFoundError,
    OrderAlreadyPaidError,
    OrderPaymentInProgressError,
    ValidationError,
)
from gateway_common.idempotency import Fence, StoredResponse
from gateway_common.ids import new_payment_id
from payments_api.dependencies import Dependencies
from payments_api.domain.cards import AcceptedCard, accept_card, test_card
from payments_api.domain.payment import CaptureMode, Method, Payment
from payments_api.rendering import as_created
from payments_api.repositories import fences, new_payments, payments
from payments_api.schemas import check_vpa, is_order_reference

# A lost race (an ad-hoc order registered meanwhile, a payment that failed meanwhile) is settled by the next round.
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """What both ways in, the merchant's and the checkout's, ask for. Only a merchant names amounts."""

    order_id: str
    method: Method
    vpa: object
    card: object
    amount: int | None = None
    currency: str | None = None
    capture: CaptureMode = "manual"
    notes: str | None = None
    may_register_order: bool = False


async def create_payment(
    using: Dependencies,
    merchant_id: UUID,
    asked: PaymentRequest,
    fence: Fence | None,
    render: Callable[[Payment], bytes],
) -> StoredResponse:
    """Returns 201 with `render` of the payment as it was created, the same bytes on a replay.

    Raises:
        NotFoundError, OrderAlreadyPaidError, OrderPaymentInProgressError, ValidationError: the order does not allow it.
        InvalidVpaError, InvalidCardError, ExpiredCardError: the method's details.
        CacheUnavailableError: a card payment while Redis is gone.
    """
    now = using.now()
    card = _read_method(using, asked, now)
    if not is_order_reference(asked.order_id):
        if asked.amount is None or not asked.may_register_order:
            raise NotFoundError("Order not found", field="order_id")
        raise ValidationError(
            "order_id must have 1 to 64 characters of A-Z a-z 0-9 . _ -", field="order_id", reason="invalid_order_id"
        )
    payment = Payment(
        merchant_id,
        new_payment_id(),
        asked.order_id,
        0,
        "",
        asked.method,
        check_vpa(asked.vpa) if asked.method == "upi" else None,
        None if card is None else card.network,
        None if card is None else card.last4,
        asked.capture,
        asked.notes,
        now,
        now,
    )
    card_token = None if card is None else await using.vault.store(card.card)
    try:
        response = await _accept(using, payment, asked, card_token, fence, render)
    except DatabaseUnavailableError:
        raise  # it may have committed before the connection was lost, and then the bank is asked with this card
    except Exception:
        await _forget_card(using, card_token)
        raise
    if response.is_replay:
        await _forget_card(using, card_token)
    return response


async def _accept(
    using: Dependencies,
    payment: Payment,
    asked: PaymentRequest,
    card_token: str | None,
    fence: Fence | None,
    render: Callable[[Payment], bytes],
) -> StoredResponse:
    for _ in range(ATTEMPTS):
        accepted = await new_payments.accept(
            using.database,
            payment,
            named_amount=asked.amount,
            named_currency=asked.currency,
            may_register_order=asked.may_register_order,
            card_token=card_token,
            fence=fence,
        )
        if accepted is not None:
            using.nudge.nudge()
            return StoredResponse(201, render(replace(payment, amount=accepted.amount, currency=accepted.currency)))
        made_before = await fences.find_made(using.database, fence, payment.created_at)
        if made_before is not None:
            found = await payments.find(using.database, payment.merchant_id, made_before)
            if found is None:
                raise InternalError
            return StoredResponse(201, render(as_created(found)), is_replay=True)
        order = await new_payments.explain(using.database, payment.merchant_id, payment.order_id)
        _refuse(order, asked)
    raise OrderPaymentInProgressError  # others keep winning the race for this order


def _refuse(order: new_payments.OrderNow | None, asked: PaymentRequest) -> None:
    """Raises the reason why the order took no payment; returns when there is none any more."""
    if order is None:
        if asked.amount is None or not asked.may_register_order:
            raise NotFoundError("Order not found", field="order_id")
        return
    if asked.amount is not None and asked.amount != order.amount:
        raise ValidationError(
            f"amount must agree with the order's amount of {order.amount}", field="amount", reason="amount_mismatch"
        )
    if asked.currency is not None and asked.currency != order.currency:
        raise ValidationError(
            f"currency must agree with the order's currency {order.currency}",
            field="currency",
            reason="currency_mismatch",
        )
    if order.holder == "success":
        raise OrderAlreadyPaidError(field="order_id")
    if order.holder == "pending":
        raise OrderPaymentInProgressError(field="order_id", retry_after_seconds=1)


def _read_method(using: Dependencies, asked: PaymentRequest, now: datetime) -> AcceptedCard | None:
    if asked.method == "upi":
        check_vpa(asked.vpa)
        return None
    if asked.card is not None:
        return accept_card(asked.card, now.date())
    if using.settings.test_mode:
        return test_card(now.date())
    raise InvalidCardError(field="card", reason="card_missing")


async def _forget_card(using: Dependencies, card_token: str | None) -> None:
    if card_token is not None:
        # It ends by itself within minutes; this only makes it sooner.
        with suppress(CacheUnavailableError):
            await using.vault.delete(card_token)
