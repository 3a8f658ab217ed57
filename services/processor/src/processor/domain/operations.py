"""An operation: one charge of a payment or one execution of a refund, as this service asks the acquirer for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Kind(StrEnum):
    CHARGE = "charge"
    REFUND = "refund"


class Outcome(StrEnum):
    """`UNKNOWN` is not "no": the acquirer may have moved the money, and only an inquiry can tell."""

    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Operation:
    """What is asked for. `amount` in the smallest unit of `currency`.

    Attributes:
        reference: names the operation at the acquirer: the payment id of a charge, the refund id of a refund.
        method: `upi` or `card`; empty for a refund.
        request_id, traceparent: of the API request that began it.
    """

    kind: Kind
    merchant_id: UUID
    payment_id: str
    reference: str
    amount: int
    currency: str
    method: str = ""
    vpa: str | None = None
    card_token: str | None = None
    request_id: str = ""
    traceparent: str = ""

    @property
    def key(self) -> tuple[Kind, str]:
        return self.kind, self.reference


@dataclass(frozen=True, slots=True)
class Answer:
    """What the acquirer finally said. `reason` (a fine code) and `description` (readable) only when declined."""

    is_success: bool
    reason: str | None = None
    description: str | None = None
    acquirer_reference: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation after it was asked for. `answer` is None while the outcome is unknown.

    `attempts` counts the times it was handed to the acquirer, deliveries to crashed predecessors included.
    """

    operation: Operation
    asked_at: datetime
    answered_at: datetime
    attempts: int
    answer: Answer | None

    @property
    def outcome(self) -> Outcome:
        return outcome_of(self.answer)


def outcome_of(answer: Answer | None) -> Outcome:
    if answer is None:
        return Outcome.UNKNOWN
    return Outcome.SUCCEEDED if answer.is_success else Outcome.DECLINED
