"""How the simulated bank behaves: pure functions of (seed, reference, attempt) and the request."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from processor.acquirers import ChargeRequest, RefundRequest
from processor.acquirers.simulator.magic_values import (
    DECLINED_REFUND_AMOUNT,
    Forced,
    forced_by_card,
    forced_by_vpa,
)

_SCALE = 2.0**64


@dataclass(frozen=True, slots=True)
class Decision:
    """`delay_seconds` is from the question to the answer."""

    is_success: bool
    reason: str | None
    is_answer_lost: bool
    delay_seconds: float


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Delays in seconds, rates from 0 to 1; `forced_success` (test mode) replaces the rates."""

    seed: int
    charge_delay: tuple[float, float] = (5.0, 10.0)
    refund_delay: tuple[float, float] = (3.0, 5.0)
    upi_success_rate: float = 0.90
    card_success_rate: float = 0.95
    forced_success: bool | None = None

    def decide_charge(self, request: ChargeRequest) -> Decision:
        luck, delay = self._draw("charge", request.reference, request.attempt, self.charge_delay)
        number = None if request.card is None else request.card.number
        forced = forced_by_vpa(request.vpa) or forced_by_card(number)
        if forced is None:
            rate = self.card_success_rate if request.method == "card" else self.upi_success_rate
            is_success = luck < rate if self.forced_success is None else self.forced_success
            decline = "card_declined" if request.method == "card" else "payment_declined"
            forced = Forced(is_success, None if is_success else decline)
        return Decision(forced.is_success, forced.reason, forced.is_answer_lost, delay)

    def decide_refund(self, request: RefundRequest) -> Decision:
        _, delay = self._draw("refund", request.reference, 1, self.refund_delay)
        is_success = request.amount != DECLINED_REFUND_AMOUNT
        return Decision(is_success, None if is_success else "refund_declined", False, delay)

    def _draw(self, kind: str, reference: str, attempt: int, delay: tuple[float, float]) -> tuple[float, float]:
        """Two independent numbers: luck in [0, 1), and a delay within its bounds."""
        digest = hashlib.blake2b(f"{self.seed}:{kind}:{reference}:{attempt}".encode(), digest_size=16).digest()
        shortest, longest = delay
        luck = int.from_bytes(digest[:8], "big") / _SCALE
        return luck, shortest + (longest - shortest) * (int.from_bytes(digest[8:], "big") / _SCALE)
