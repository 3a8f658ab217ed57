"""Which cards are taken (API.md, Validation)."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_common.errors import ExpiredCardError, InvalidCardError
from payments_api.domain.cards import accept_card, network_of, passes_luhn
from payments_api.domain.cards import test_card as the_test_card

TODAY = date(2026, 1, 31)
GOOD = {"number": "4242424242424242", "expiry_month": 1, "expiry_year": 2026, "cvv": "123", "holder_name": "Asha Rao"}


def with_(**changes: Any) -> dict[str, Any]:
    return {**GOOD, **changes}


@pytest.mark.parametrize(
    ("number", "network"),
    [
        ("4242424242424242", "visa"),
        ("4111 1111 1111 1111", "visa"),
        ("5555-5555-5555-4444", "mastercard"),
        ("2221000000000009", "mastercard"),
        ("2720999999999996", "mastercard"),
        ("6527658900001005", "rupay"),
        ("6011111111111117", "rupay"),
        ("3530111333300000", "unknown"),
    ],
)
def test_numbers_and_networks(number: str, network: str) -> None:
    accepted = accept_card(with_(number=number), TODAY)
    assert accepted.network == network
    assert accepted.card.number == number.replace(" ", "").replace("-", "")
    assert accepted.last4 == accepted.card.number[-4:]


@pytest.mark.parametrize(
    ("prefix", "network"),
    [
        ("50", "unknown"), ("51", "mastercard"), ("55", "mastercard"), ("56", "unknown"), ("34", "amex"), ("37", "amex"),
        ("35", "unknown"), ("60", "rupay"), ("61", "unknown"), ("65", "rupay"), ("80", "unknown"), ("81", "rupay"),
        ("89", "rupay"), ("90", "unknown"), ("2220", "unknown"), ("2721", "unknown"),
    ],
)  # fmt: skip
def test_prefixes(prefix: str, network: str) -> None:
    assert network_of(prefix.ljust(16, "0")) == network


def test_american_express_has_four_digits_of_cvv() -> None:
    accepted = accept_card(with_(number="378282246310005", cvv="1234"), TODAY)
    assert accepted.network == "amex"
    with pytest.raises(InvalidCardError):
        accept_card(with_(number="378282246310005", cvv="123"), TODAY)


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "4242424242424241"},
        {"number": "424242424242"},
        {"number": "4242424242424242000000"},
        {"number": "４２４２４２４２４２４２４２４２"},
        {"number": 4242424242424242},
        {"number": ""},
        {"cvv": "12"},
        {"cvv": "1234"},
        {"cvv": 123},
        {"cvv": "12a"},
        {"holder_name": ""},
        {"holder_name": None},
        {"holder_name": "x" * 256},
        {"expiry_month": None},
        {"expiry_year": None},
    ],
)
def test_malformed_cards(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidCardError, match="Card validation failed"):
        accept_card(with_(**changes), TODAY)


@pytest.mark.parametrize("name", list(GOOD))
def test_missing_fields(name: str) -> None:
    with pytest.raises(InvalidCardError):
        accept_card({key: value for key, value in GOOD.items() if key != name}, TODAY)


@pytest.mark.parametrize("card", ["4242424242424242", 7, [], True])
def test_a_card_is_an_object(card: object) -> None:
    with pytest.raises(InvalidCardError):
        accept_card(card, TODAY)


@pytest.mark.parametrize(("month", "year"), [(1, 2026), ("01", "26"), ("1", 26), (12, "2030")])
def test_this_month_or_later(month: object, year: object) -> None:
    accept_card(with_(expiry_month=month, expiry_year=year), TODAY)


@pytest.mark.parametrize(
    ("month", "year"),
    [(12, 2025), (0, 2030), (13, 2030), (True, 2030), (1.0, 2030), ("1a", 30), (1, 130), (1, "3"), (-1, 30)],
)
def test_expired_or_no_date(month: object, year: object) -> None:
    with pytest.raises(ExpiredCardError, match="Card expiry date invalid"):
        accept_card(with_(expiry_month=month, expiry_year=year), TODAY)


def test_the_test_visa_is_always_good() -> None:
    card = the_test_card(TODAY).card
    assert accept_card(
        {
            "number": card.number,
            "expiry_month": card.expiry_month,
            "expiry_year": card.expiry_year,
            "cvv": card.cvv,
            "holder_name": card.holder_name,
        },
        TODAY,
    ) == the_test_card(TODAY)


@given(st.text("0123456789", min_size=12, max_size=18))
def test_exactly_one_check_digit_fits(digits: str) -> None:
    assert sum(passes_luhn(digits + str(digit)) for digit in range(10)) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(GOOD, JSON)) | JSON)
def test_whatever_comes_is_taken_or_refused(card: object) -> None:
    with suppress(InvalidCardError, ExpiredCardError):
        accept_card(card, TODAY)
