from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.domain.amounts import decimal_amount, format_amount, format_percent, group_indian, parse_amount


@pytest.mark.parametrize(
    ("paise", "text"),
    [
        (0, "₹0"),
        (100, "₹1"),
        (50_050, "₹500.50"),
        (5, "₹0.05"),
        (100_000, "₹1,000"),
        (50_000_000, "₹5,00,000"),
        (1_234_567_890, "₹1,23,45,678.90"),
        (-50_000, "-₹500"),
    ],
)
def test_rupees_are_grouped_as_in_india(paise: int, text: str) -> None:
    assert format_amount(paise) == text


def test_other_currencies_have_their_own_units() -> None:
    assert format_amount(123_456_700, "USD") == "$1,234,567"
    assert format_amount(1_500, "JPY") == "JPY 1,500"
    assert format_amount(1_500, "KWD") == "KWD 1.500"


@given(st.integers(min_value=0, max_value=2**53))
def test_grouping_changes_no_digit(number: int) -> None:
    grouped = group_indian(number)
    assert grouped.replace(",", "") == str(number)
    assert all(len(part) == 2 for part in grouped.split(",")[1:-1])


@given(st.integers(min_value=1, max_value=10**14))
def test_what_is_shown_can_be_typed_again(paise: int) -> None:
    assert parse_amount(format_amount(paise)) == paise
    assert parse_amount(decimal_amount(paise)) == paise


@pytest.mark.parametrize("text", ["", "abc", "0", "-5", "1.234", "NaN", "Infinity", "1e30", "5 rupees"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"amount|unit"):
        parse_amount(text)


@pytest.mark.parametrize(
    ("share", "text"), [(None, "0%"), (0.0, "0%"), (0.954, "95%"), (0.955, "96%"), (0.005, "1%"), (1.0, "100%")]
)
def test_percent_is_rounded_half_up(share: float | None, text: str) -> None:
    assert format_percent(share) == text
