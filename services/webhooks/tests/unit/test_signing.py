"""Both signatures, against the libraries that merchants use."""

from __future__ import annotations

import hashlib
import hmac
import time

import razorpay
from standardwebhooks.webhooks import Webhook

from gateway_common.auth.secrets import new_webhook_secret
from webhooks.domain.signing import request_headers, standard_key

BODY = '{"event":"payment.success","data":{"name":"é"}}'.encode()


def _headers(*secrets: str) -> dict[str, str]:
    return request_headers(
        secrets,
        event_id="evt_0123456789abcdef",
        event_type="payment.success",
        attempt=2,
        timestamp=int(time.time()),
        body=BODY,
        user_agent="test",
    )


def test_standard_webhooks_and_razorpay_accept_a_generated_secret() -> None:
    secret = new_webhook_secret()
    headers = _headers(secret)
    Webhook(secret).verify(BODY, headers)
    razorpay.Utility().verify_webhook_signature(BODY.decode(), headers["X-Webhook-Signature"], secret)


def test_after_a_rotation_old_and_new_secret_verify() -> None:
    new, old = new_webhook_secret(), new_webhook_secret()
    headers = _headers(new, old)
    Webhook(new).verify(BODY, headers)
    Webhook(old).verify(BODY, headers)
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert headers["X-Webhook-Signature"] == hmac.new(new.encode(), BODY, hashlib.sha256).hexdigest()


def test_a_secret_that_is_no_base64_is_its_own_bytes() -> None:
    assert standard_key("whsec_test_abc123") == b"whsec_test_abc123"


def test_headers_name_event_and_attempt() -> None:
    headers = _headers(new_webhook_secret())
    assert headers["X-Webhook-Event"] == "payment.success"
    assert headers["X-Webhook-Id"] == headers["webhook-id"] == "evt_0123456789abcdef"
    assert headers["X-Webhook-Attempt"] == "2"
