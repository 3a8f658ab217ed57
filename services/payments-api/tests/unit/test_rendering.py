"""Payments as merchants and messages show them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from gateway_common.events import PaymentEvent
from payments_api.domain.payment import Payment
from payments_api.rendering import as_created, event_json, event_with_blanks, payment_json

NOW = datetime(2026, 1, 15, 10, 31, 0, 123000, tzinfo=UTC)
UPI = Payment(
    UUID(int=1),
    "pay_1",
    "order_1",
    50000,
    "INR",
    "upi",
    "user@paytm",
    None,
    None,
    "manual",
    '{"b":1,"a":"\\"x\\""}',
    NOW,
    NOW,
)
CARD = replace(UPI, method="card", vpa=None, card_network="visa", card_last4="4242", notes=None)


def test_only_the_methods_own_fields_appear() -> None:
    upi, card = orjson.loads(payment_json(UPI)), orjson.loads(payment_json(CARD))
    assert upi["vpa"] == "user@paytm"
    assert not {"card_network", "card_last4"} & set(upi)
    assert (card["card_network"], card["card_last4"]) == ("visa", "4242")
    assert "vpa" not in card
    assert upi["created_at"] == "2026-01-15T10:31:00.123Z"
    assert list(upi["notes"]) == ["b", "a"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"amount_refunded": 0}, None),
        ({"amount_refunded": 1}, "partial"),
        ({"amount_refunded": 50000}, "full"),
        ({"amount_refunded": 300, "captured": True, "amount_captured": 300, "refund_limit": 300}, "full"),
        ({"amount_refunded": 300, "captured": True, "amount_captured": 300, "refund_limit": 400}, "partial"),
    ],
)
def test_refund_status(changes: dict[str, Any], expected: str | None) -> None:
    assert replace(UPI, **changes).refund_status == expected


def test_a_replay_has_the_bytes_of_the_first_answer() -> None:
    later = replace(
        UPI,
        status="success",
        captured=True,
        amount_captured=50000,
        amount_refunded=7,
        sequence=9,
        updated_at=NOW + timedelta(hours=1),
    )
    assert payment_json(as_created(later)) == payment_json(UPI)
    failed = replace(UPI, status="failed", error_code="x", error_description="y", error_reason="z")
    assert payment_json(as_created(failed)) == payment_json(UPI)


@pytest.mark.parametrize("payment", [UPI, CARD])
def test_an_event_with_its_blanks_filled_is_the_event(payment: Payment) -> None:
    before, after = event_with_blanks(replace(payment, amount=0, currency=""), 1, NOW, card_token="ctok_1")
    assert f'{before}50000,"currency":"INR"{after}' == event_json(payment, 1, NOW, card_token="ctok_1")
    event = PaymentEvent.model_validate_json(event_json(payment, 1, NOW, card_token="ctok_1"))
    assert (event.sequence, event.card_token, event.payment.amount) == (1, "ctok_1", 50000)
