"""The money of one successful payment, and what may still leave it (docs/decisions/0020).

Everything that splits the money (refund, capture, cancel) is decided on this record, under its row lock:

- Not settled: refunds take from the authorisation (they release it), up to the whole amount.
- Captured: the merchant has `amount_captured`; what was refunded before stays released; the rest went back to the
  shopper. Refunds may take what was captured.
- Cancelled: all that had not been refunded went back to the shopper; nothing is left.

So refunds plus what went back by capture or cancel never exceed `amount`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal
from uuid import UUID

from refunds.domain.refusals import (
    CaptureAmountExceedsAvailableError,
    InsufficientRefundAmountError,
    NotCancellableError,
    NotCapturableError,
    NotRefundableError,
)


class Settlement(StrEnum):
    """What ended the authorisation. The first one stays."""

    CAPTURE = "capture"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Balance:
    """Amounts in the smallest unit of `currency`.

    Attributes:
        sequence: highest event number known of this payment (a Lamport clock, see `PaymentEvent.sequence`).
        amount_pending: sum of the refunds that wait for the bank.
        amount_refunded: sum of the processed ones.
        amount_released: sum of the pending and processed refunds that began before the settlement.
        version: counts the changes of `amount_refunded`.
    """

    merchant_id: UUID
    payment_id: str
    amount: int
    currency: str
    sequence: int
    settlement: Settlement | None = None
    amount_captured: int = 0
    amount_pending: int = 0
    amount_refunded: int = 0
    amount_released: int = 0
    version: int = 0

    @property
    def limit(self) -> int:
        """What all refunds together may reach."""
        if self.settlement is Settlement.CAPTURE:
            # A capture of the whole amount leaves nothing that a refund could have released beforehand.
            return min(self.amount, self.amount_captured + self.amount_released)
        if self.settlement is Settlement.CANCEL:
            return self.amount_pending + self.amount_refunded
        return self.amount

    @property
    def amount_left(self) -> int:
        return self.limit - self.amount_pending - self.amount_refunded

    @property
    def refund_status(self) -> Literal["partial", "full"] | None:
        if self.amount_refunded == 0:
            return None
        goal = self.amount if self.settlement is Settlement.CANCEL else self.limit
        return "full" if self.amount_refunded >= goal else "partial"

    def reserve(self, amount: int | None) -> tuple[Balance, int]:
        """Begin a refund of `amount` (None: all that is left); the amount is given back along.

        Raises:
            NotRefundableError: the payment was cancelled.
            InsufficientRefundAmountError: more than is left, or nothing is.
        """
        if self.settlement is Settlement.CANCEL:
            raise NotRefundableError
        wanted = self.amount_left if amount is None else amount
        if not 0 < wanted <= self.amount_left:
            raise InsufficientRefundAmountError
        released = self.amount_released + (wanted if self.settlement is None else 0)
        return replace(
            self, amount_pending=self.amount_pending + wanted, amount_released=released, sequence=self.sequence + 1
        ), wanted

    def process(self, amount: int) -> Balance:
        """A refund of `amount` has left the bank."""
        return replace(
            self,
            amount_pending=self.amount_pending - amount,
            amount_refunded=self.amount_refunded + amount,
            version=self.version + 1,
            sequence=self.sequence + 1,
        )

    def fail(self, amount: int, *, is_release: bool) -> Balance:
        """A refund of `amount` did not happen: it can be refunded again.

        `is_release`: it began before the settlement. Once that has come, its amount went back to the shopper with the rest.
        """
        return replace(
            self,
            amount_pending=self.amount_pending - amount,
            amount_released=self.amount_released - (amount if is_release else 0),
            sequence=self.sequence + 1,
        )

    def capture(self, amount: int | None) -> Balance:
        """Capture `amount` (None: all that was not refunded). A balance that is settled stays as it is.

        Raises:
            NotCapturableError: nothing is left.
            CaptureAmountExceedsAvailableError: more than is left.
        """
        if self.settlement is not None:
            return self
        if self.amount_left == 0:
            raise NotCapturableError
        wanted = self.amount_left if amount is None else amount
        if not 0 < wanted <= self.amount_left:
            raise CaptureAmountExceedsAvailableError
        return replace(self, settlement=Settlement.CAPTURE, amount_captured=wanted)

    def cancel(self) -> Balance:
        """Void all that was not refunded. A balance that is settled stays as it is.

        Raises:
            NotCancellableError: nothing is left.
        """
        if self.settlement is not None:
            return self
        if self.amount_left == 0:
            raise NotCancellableError
        return replace(self, settlement=Settlement.CANCEL)
