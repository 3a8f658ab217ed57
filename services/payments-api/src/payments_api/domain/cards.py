"""What makes card details acceptable (API.md, Validation)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from gateway_common.card import Card
from gateway_common.errors import ExpiredCardError, InvalidCardError

_NUMBER = re.compile(r"[0-9]{13,19}\Z")
_MONTH = re.compile(r"[0-9]{1,2}\Z")
_YEAR = re.compile(r"(?:[0-9]{2}|[0-9]{4})\Z")
_CVV = re.compile(r"[0-9]{3}\Z")
_CVV_AMEX = re.compile(r"[0-9]{4}\Z")
_HOLDER_MAX_LENGTH = 255

# From the table of test values; the year moves on so that it never expires.
_TEST_VISA = "4242424242424242"


@dataclass(frozen=True, slots=True)
class AcceptedCard:
    """A card that passed every check, and what may be kept of it."""

    card: Card
    network: str

    @property
    def last4(self) -> str:
        return self.card.number[-4:]


def network_of(number: str) -> str:
    """By prefix: `visa`, `mastercard`, `amex`, `rupay` or `unknown`."""
    two, four = int(number[:2]), int(number[:4])
    if number[0] == "4":
        return "visa"
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return "mastercard"
    if two in (34, 37):
        return "amex"
    if two in (60, 65) or 81 <= two <= 89:
        return "rupay"
    return "unknown"


def passes_luhn(number: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for position, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def accept_card(given: object, today: date) -> AcceptedCard:
    """Check the `card` object of a request.

    Raises:
        InvalidCardError: a missing or malformed field, a wrong check digit.
        ExpiredCardError: the expiry is no date, or before this month.
    """
    if not isinstance(given, dict):
        raise InvalidCardError(field="card", reason="card_missing")
    number = given.get("number")
    if not isinstance(number, str):
        raise InvalidCardError(field="card.number", reason="invalid_number")
    number = number.replace(" ", "").replace("-", "")
    if not _NUMBER.match(number) or not passes_luhn(number):
        raise InvalidCardError(field="card.number", reason="invalid_number")
    network = network_of(number)
    cvv = given.get("cvv")
    if not isinstance(cvv, str) or not (_CVV_AMEX if network == "amex" else _CVV).match(cvv):
        raise InvalidCardError(field="card.cvv", reason="invalid_cvv")
    holder_name = given.get("holder_name")
    if not isinstance(holder_name, str) or not 1 <= len(holder_name.strip()) <= _HOLDER_MAX_LENGTH:
        raise InvalidCardError(field="card.holder_name", reason="invalid_holder_name")
    for name in ("expiry_month", "expiry_year"):
        if given.get(name) is None:
            raise InvalidCardError(field=f"card.{name}", reason="missing")
    month, year = _read_expiry(given["expiry_month"], given["expiry_year"], today)
    return AcceptedCard(Card(number, month, year, cvv, holder_name.strip()), network)


def test_card(today: date) -> AcceptedCard:
    """What a card payment without a card uses in test mode."""
    return AcceptedCard(Card(_TEST_VISA, 12, today.year + 5, "123", "Test Card"), "visa")


def _read_expiry(month: object, year: object, today: date) -> tuple[int, int]:
    month_text, year_text = _digits(month), _digits(year)
    if not _MONTH.match(month_text) or not 1 <= int(month_text) <= 12:
        raise ExpiredCardError(field="card.expiry_month", reason="invalid_expiry")
    if not _YEAR.match(year_text):
        raise ExpiredCardError(field="card.expiry_year", reason="invalid_expiry")
    full_year = int(year_text) + (2000 if len(year_text) == 2 else 0)
    if (full_year, int(month_text)) < (today.year, today.month):
        raise ExpiredCardError(field="card.expiry_year", reason="expired_card")
    return int(month_text), full_year


def _digits(value: object) -> str:
    """An integer or a text of digits; `true` is neither."""
    if type(value) is int:
        return str(value)
    return value if isinstance(value, str) else ""
