"""How amounts are written for people, and read from a form."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

SYMBOLS = {"INR": "₹", "USD": "$", "EUR": "€", "GBP": "£"}
# ISO 4217 minor units that are not two.
MINOR_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "BHD": 3, "KWD": 3, "OMR": 3}

_SEPARATORS = re.compile(r"[\s,₹$€£]")


def group_indian(number: int) -> str:
    """`500000` → `5,00,000`: the last three digits, then pairs."""
    sign, digits = ("-", str(-number)) if number < 0 else ("", str(number))
    head, tail = digits[:-3], digits[-3:]
    pairs: list[str] = []
    while head:
        pairs.insert(0, head[-2:])
        head = head[:-2]
    return sign + ",".join([*pairs, tail])


def format_amount(amount: int, currency: str = "INR") -> str:
    """`amount` in minor units. Whole amounts without decimals, others with all: `₹5,00,000`, `₹500.50`."""
    digits = MINOR_DIGITS.get(currency, 2)
    whole, rest = divmod(abs(amount), 10**digits)
    grouped = group_indian(whole) if currency == "INR" else f"{whole:,}"
    symbol = SYMBOLS.get(currency, f"{currency} ")
    decimals = f".{rest:0{digits}d}" if rest else ""
    return f"{'-' if amount < 0 else ''}{symbol}{grouped}{decimals}"


def decimal_amount(amount: int, currency: str = "INR") -> str:
    """For spreadsheets: `50050` → `500.50`, no symbol and no grouping."""
    digits = MINOR_DIGITS.get(currency, 2)
    return str(Decimal(amount).scaleb(-digits))


def parse_amount(text: str, currency: str = "INR") -> int:
    """Read what a person typed (`₹1,500`, `1500.50`) as minor units.

    Raises:
        ValueError: no number, not positive, or finer than the currency's smallest unit.
    """
    try:
        value = Decimal(_SEPARATORS.sub("", text))
    except InvalidOperation:
        raise ValueError("Enter an amount such as 500 or 500.50") from None
    if not value.is_finite() or value <= 0 or value > Decimal(10) ** 13:
        raise ValueError("Enter an amount greater than zero")
    minor = value.scaleb(MINOR_DIGITS.get(currency, 2))
    if minor != minor.to_integral_value():
        raise ValueError(f"{currency} has no smaller unit than {decimal_amount(1, currency)}")
    return int(minor)


def format_percent(share: float | None) -> str:
    """`0.954` → `95%`, half up; `0%` while there is nothing to divide."""
    return f"{int((share or 0) * 100 + 0.5)}%"
