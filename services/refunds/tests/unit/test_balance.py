"""The rules of a payment's money, whatever the order of events."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from gateway_common.errors import BadRequestError
from refunds.domain.balance import Balance, Settlement
from refunds.domain.refusals import InsufficientRefundAmountError, NotRefundableError

AMOUNT = 1_000


def balance(amount: int = AMOUNT) -> Balance:
    return Balance(UUID(int=1), "pay_x", amount, "INR", sequence=3)


def test_default_takes_all_that_is_left() -> None:
    first, taken = balance().reserve(400)
    assert taken == 400
    assert first.reserve(None)[1] == 600


@pytest.mark.parametrize("amount", [0, -1, 1_001])
def test_amounts_out_of_reach(amount: int) -> None:
    with pytest.raises(InsufficientRefundAmountError):
        balance().reserve(amount)


def test_nothing_can_be_refunded_after_a_cancel() -> None:
    with pytest.raises(NotRefundableError):
        balance().cancel().reserve(1)


def test_refund_status() -> None:
    part, _ = balance().reserve(400)
    assert part.refund_status is None
    part = part.process(400)
    assert part.refund_status == "partial"
    rest, left = part.reserve(None)
    assert rest.process(left).refund_status == "full"


def test_full_after_a_partial_capture_is_what_was_captured() -> None:
    captured = balance().capture(300)
    refunded, taken = captured.reserve(None)
    assert (taken, refunded.process(taken).refund_status) == (300, "full")


def test_a_release_that_fails_before_the_settlement_is_given_back() -> None:
    begun, taken = balance().reserve(400)
    assert begun.fail(taken, is_release=True).amount_left == AMOUNT


def test_an_automatic_capture_heard_of_late_leaves_all_refundable() -> None:
    """The whole amount was captured before the refund, but its event came after."""
    begun, taken = balance().reserve(400)
    late = Balance(
        begun.merchant_id,
        begun.payment_id,
        AMOUNT,
        "INR",
        4,
        Settlement.CAPTURE,
        AMOUNT,
        taken,
        0,
        begun.amount_released,
    )
    assert late.amount_left == 600
    assert late.fail(taken, is_release=True).amount_left == AMOUNT


@given(st.lists(st.tuples(st.integers(-5, 1_200), st.booleans()), max_size=40))
def test_partial_sums_stay_within_the_amount(steps: list[tuple[int, bool]]) -> None:
    now = balance()
    for amount, is_executed in steps:
        try:
            now, taken = now.reserve(amount)
        except InsufficientRefundAmountError:
            assert not 0 < amount <= now.amount_left
            continue
        now = now.process(taken) if is_executed else now.fail(taken, is_release=True)
        assert 0 <= now.amount_refunded <= now.amount
    assert now.amount_pending == 0


class PaymentMoney(RuleBasedStateMachine):
    """Follows where each unit of the payment's money went, next to what the balance says."""

    pending = Bundle("pending")

    def __init__(self) -> None:
        super().__init__()
        self.balance = balance()
        self.kept_by_merchant: int | None = None  # by a capture
        self.returned_by_settlement = 0
        self.refunded = 0
        self.released_pending = 0

    @rule(target=pending, amount=st.none() | st.integers(-10, AMOUNT + 10))
    def refund(self, amount: int | None) -> tuple[int, bool]:
        is_release = self.balance.settlement is None
        try:
            self.balance, taken = self.balance.reserve(amount)
        except BadRequestError:
            return 0, is_release
        if is_release:
            self.released_pending += taken
        return taken, is_release

    @rule(refund=consumes(pending), is_executed=st.booleans())
    def answer(self, refund: tuple[int, bool], is_executed: bool) -> None:
        taken, is_release = refund
        if taken == 0:
            return
        if is_release:
            self.released_pending -= taken
        if is_executed:
            self.balance = self.balance.process(taken)
            self.refunded += taken
            return
        self.balance = self.balance.fail(taken, is_release=is_release)
        if is_release and self.balance.settlement is not None:
            self.returned_by_settlement += taken

    @rule(amount=st.none() | st.integers(-10, AMOUNT + 10))
    def capture(self, amount: int | None) -> None:
        was_open = self.balance.settlement is None
        try:
            self.balance = self.balance.capture(amount)
        except BadRequestError:
            return
        if was_open:
            self.kept_by_merchant = self.balance.amount_captured
            taken = self.refunded + self.released_pending
            self.returned_by_settlement = AMOUNT - self.balance.amount_captured - taken

    @rule()
    def cancel(self) -> None:
        was_open = self.balance.settlement is None
        try:
            self.balance = self.balance.cancel()
        except BadRequestError:
            return
        if was_open:
            self.returned_by_settlement = AMOUNT - self.refunded - self.released_pending

    @invariant()
    def no_more_goes_back_than_came_in(self) -> None:
        now = self.balance
        assert self.returned_by_settlement >= 0
        assert self.refunded == now.amount_refunded
        assert now.amount_refunded + now.amount_pending + self.returned_by_settlement <= AMOUNT
        assert 0 <= now.amount_left <= AMOUNT
        assert min(now.amount_pending, now.amount_refunded, now.amount_released) >= 0
        # All that is left, and not more, can still be refunded, unless the payment was cancelled.
        if now.settlement is not Settlement.CANCEL:
            reachable = now.amount_refunded + now.amount_pending + now.amount_left + self.returned_by_settlement
            assert reachable == AMOUNT


TestPaymentMoney = PaymentMoney.TestCase
