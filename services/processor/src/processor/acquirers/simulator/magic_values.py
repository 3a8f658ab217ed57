"""Values that force an outcome in every mode, and the words for it (API.md, The simulated bank)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SUCCESS_VPAS = frozenset({"success@upi", "success@razorpay"})
FAILURE_VPAS = frozenset({"failure@upi", "failure@razorpay"})
TIMEOUT_VPA = "timeout@upi"
LATE_VPA = "late@upi"

SUCCESS_CARDS = frozenset(
    {"4242424242424242", "4111111111111111", "5555555555554444", "378282246310005", "6527658900001005"}
)
DECLINED_CARDS: Mapping[str, str] = {
    "4000000000000002": "card_declined",
    "4000000000009995": "insufficient_funds",
    "4000000000009987": "lost_card",
    "4000000000009979": "stolen_card",
    "4000000000000069": "expired_card",
    "4000000000000127": "incorrect_cvc",
    "4000000000000119": "processing_error",
}
DECLINED_REFUND_AMOUNT = 2468

DESCRIPTIONS: Mapping[str, str] = {
    "payment_declined": "The payment was declined by the shopper's bank",
    "card_declined": "The card was declined by the issuing bank",
    "insufficient_funds": "The card has insufficient funds",
    "lost_card": "The card was reported lost",
    "stolen_card": "The card was reported stolen",
    "expired_card": "The card has expired",
    "incorrect_cvc": "The card's security code is incorrect",
    "processing_error": "The issuing bank could not process the card",
    "bank_timeout": "The shopper's bank did not answer in time",
    "card_data_expired": "The card data was no longer available; the card was not charged",
    "refund_declined": "The refund was declined by the shopper's bank",
}


@dataclass(frozen=True, slots=True)
class Forced:
    """`is_answer_lost`: the bank decides and books, but its answer never arrives."""

    is_success: bool
    reason: str | None = None
    is_answer_lost: bool = False


def forced_by_vpa(vpa: str | None) -> Forced | None:
    """What this VPA forces; upper and lower case are one, as in a VPA. None when it forces nothing."""
    name = (vpa or "").lower()
    if name in SUCCESS_VPAS:
        return Forced(is_success=True)
    if name in FAILURE_VPAS:
        return Forced(is_success=False, reason="payment_declined")
    if name == TIMEOUT_VPA:
        return Forced(is_success=False, reason="bank_timeout", is_answer_lost=True)
    if name == LATE_VPA:
        return Forced(is_success=True, is_answer_lost=True)
    return None


def forced_by_card(number: str | None) -> Forced | None:
    """What this card number (digits only) forces; None when it forces nothing."""
    if number is None:
        return None
    if number in SUCCESS_CARDS:
        return Forced(is_success=True)
    if (reason := DECLINED_CARDS.get(number)) is not None:
        return Forced(is_success=False, reason=reason)
    return None
