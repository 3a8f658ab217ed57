"""Every (state, answer) pair of a refund."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from uuid import UUID

import pytest

from gateway_common.events import RefundResult
from refunds.consumers import apply
from refunds.domain.balance import Balance
from refunds.domain.refunds import Refund
from refunds.domain.states import TRANSITIONS, BankAnswer, RefundStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MERCHANT = UUID(int=1)


def test_the_table_is_complete() -> None:
    assert set(TRANSITIONS) == set(product(RefundStatus, BankAnswer))


@pytest.mark.parametrize(("status", "answer"), list(product(RefundStatus, BankAnswer)))
def test_only_pending_changes(status: RefundStatus, answer: BankAnswer) -> None:
    after = TRANSITIONS[status, answer]
    if status is not RefundStatus.PENDING:
        assert after is status
    else:
        assert after is (RefundStatus.PROCESSED if answer is BankAnswer.EXECUTED else RefundStatus.FAILED)


@pytest.mark.parametrize("answer", BankAnswer)
def test_an_answer_moves_the_money_of_its_refund_only(answer: BankAnswer) -> None:
    before, _ = Balance(MERCHANT, "pay_x", 1_000, "INR", 3).reserve(300)
    both, _ = before.reserve(200)
    refund = Refund(
        "rfnd_x", MERCHANT, "pay_x", 300, "INR", None, None, RefundStatus.PENDING, is_release=True, created_at=NOW
    )
    reason = None if answer is BankAnswer.EXECUTED else "refund_declined"
    result = RefundResult(
        merchant_id=MERCHANT, refund_id="rfnd_x", payment_id="pay_x", reason=reason, asked_at=NOW, answered_at=NOW
    )
    done, balance = apply(refund, both, answer, result, NOW)

    assert balance.amount_pending == 200
    assert balance.sequence == both.sequence + 1
    if answer is BankAnswer.EXECUTED:
        assert (done.status, done.processed_at, balance.amount_refunded, balance.version) == ("processed", NOW, 300, 1)
    else:
        assert (done.status, done.error_reason, balance.amount_left, balance.version) == ("failed", reason, 800, 0)
