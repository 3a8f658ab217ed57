"""API keys and secrets. A secret is 32 random bytes, so one SHA-256 is enough to keep it; only the hash is kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def new_api_key(*, is_test: bool) -> str:
    return ("key_test_" if is_test else "key_live_") + _random(24)


def new_api_secret(*, is_test: bool) -> str:
    return ("secret_test_" if is_test else "secret_live_") + _random(43)


def new_webhook_secret() -> str:
    """`whsec_` + base64 of 32 random bytes (Standard Webhooks)."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def hash_secret(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def secret_matches(secret: str, secret_hash: bytes) -> bool:
    """Constant time."""
    return hmac.compare_digest(hash_secret(secret), secret_hash)


def checkout_signing_key(secret: str) -> str:
    """What signs a checkout's result (WEB.md): hex HMAC-SHA256(key = API secret, message = `checkout-signature`)."""
    return hmac.new(secret.encode(), b"checkout-signature", hashlib.sha256).hexdigest()


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
