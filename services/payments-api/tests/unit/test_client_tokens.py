"""Tokens and signatures of the checkout."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import razorpay

from gateway_common.auth.secrets import checkout_signing_key
from payments_api.client_tokens import LIFETIME, ClientTokens, checkout_signature

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOKENS = ClientTokens("one secret of ours")


def test_a_token_is_bound_to_its_payment_and_its_hour() -> None:
    token = TOKENS.issue("pay_a", NOW)
    assert token == TOKENS.issue("pay_a", NOW)
    assert TOKENS.is_valid(token, "pay_a", NOW + LIFETIME - timedelta(seconds=1))
    assert not TOKENS.is_valid(token, "pay_a", NOW + LIFETIME)
    assert not TOKENS.is_valid(token, "pay_b", NOW)
    assert not ClientTokens("another").is_valid(token, "pay_a", NOW)


@pytest.mark.parametrize("token", ["", ".", "x.y", "99999999999.", "99999999999.é", "٣٣.a", "9" * 300 + ".a"])
def test_what_is_no_token(token: str) -> None:
    assert not TOKENS.is_valid(token, "pay_a", NOW)


def test_the_razorpay_sdk_verifies_the_signature() -> None:
    signing_key = checkout_signing_key("secret_test_xyz789")
    signature = checkout_signature(signing_key, "order_1", "pay_1")
    client = razorpay.Client(auth=("key_test_abc123", signing_key))
    given = {"razorpay_order_id": "order_1", "razorpay_payment_id": "pay_1", "razorpay_signature": signature}
    assert client.utility.verify_payment_signature(given)
    with pytest.raises(razorpay.errors.SignatureVerificationError):
        client.utility.verify_payment_signature({**given, "razorpay_payment_id": "pay_2"})
