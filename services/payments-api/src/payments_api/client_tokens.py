"""What lets a shopper's browser prove that it made a payment, and a merchant's server trust the result (WEB.md)."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

LIFETIME = timedelta(hours=1)


class ClientTokens:
    """`<Unix seconds of its end>.<hex HMAC-SHA256>`, bound to one payment.

    A pure function of payment and secret, so that a replayed answer carries the same one.
    """

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"client-token:" + secret.encode()).digest()

    def issue(self, payment_id: str, created_at: datetime) -> str:
        ends_at = int((created_at + LIFETIME).timestamp())
        return f"{ends_at}.{self._sign(payment_id, ends_at)}"

    def is_valid(self, token: str, payment_id: str, now: datetime) -> bool:
        end, _, signature = token.partition(".")
        if not end.isascii() or not end.isdigit() or len(end) > 12 or not signature.isascii():
            return False
        return now.timestamp() < int(end) and hmac.compare_digest(signature, self._sign(payment_id, int(end)))

    def _sign(self, payment_id: str, ends_at: int) -> str:
        return hmac.new(self._key, f"{payment_id}.{ends_at}".encode(), hashlib.sha256).hexdigest()


def checkout_signature(signing_key: str, order_id: str, payment_id: str) -> str:
    """What the merchant's server checks: hex HMAC-SHA256 over `order_id|payment_id`."""
    return hmac.new(signing_key.encode(), f"{order_id}|{payment_id}".encode(), hashlib.sha256).hexdigest()
