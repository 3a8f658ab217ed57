"""Life cycle of a refund: the bank's first word is the last."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class RefundStatus(StrEnum):
    PENDING = "pending"
    PROCESSED = "processed"
    FAILED = "failed"


class BankAnswer(StrEnum):
    EXECUTED = "executed"
    DECLINED = "declined"


TRANSITIONS: Mapping[tuple[RefundStatus, BankAnswer], RefundStatus] = {
    (RefundStatus.PENDING, BankAnswer.EXECUTED): RefundStatus.PROCESSED,
    (RefundStatus.PENDING, BankAnswer.DECLINED): RefundStatus.FAILED,
    (RefundStatus.PROCESSED, BankAnswer.EXECUTED): RefundStatus.PROCESSED,
    (RefundStatus.PROCESSED, BankAnswer.DECLINED): RefundStatus.PROCESSED,
    (RefundStatus.FAILED, BankAnswer.EXECUTED): RefundStatus.FAILED,
    (RefundStatus.FAILED, BankAnswer.DECLINED): RefundStatus.FAILED,
}
