"""Money: an integer number of the currency's smallest unit, never a float."""

from __future__ import annotations

from dataclasses import dataclass

# Largest integer that a JavaScript receiver reads exactly (EVENTS.md: nothing over 2^53).
MAX_AMOUNT = 2**53 - 1


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """`amount` in the smallest unit (paise for INR), `currency` as ISO 4217.

    Raises:
        ValueError: the amount is no integer, negative or above 2^53 - 1, or the currency is not three capitals.
    """

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int or not 0 <= self.amount <= MAX_AMOUNT:
            raise ValueError("amount must be an integer from 0 to 2^53 - 1")
        if len(self.currency) != 3 or not (
            self.currency.isascii() and self.currency.isalpha() and self.currency.isupper()
        ):
            raise ValueError("currency must be an ISO 4217 code such as INR")

    def _same_currency(self, other: Money) -> None:
        if other.currency != self.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}")

    def __add__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.amount - other.amount, self.currency)

    def __le__(self, other: Money) -> bool:
        self._same_currency(other)
        return self.amount <= other.amount
