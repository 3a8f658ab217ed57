"""The two signatures of a webhook (EVENTS.md, Request)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

_PREFIX = "whsec_"


def hex_signature(secret: str, body: bytes) -> str:
    """`X-Webhook-Signature`: hex HMAC-SHA256 of the body, keyed with the whole secret string."""
    return hmac.digest(secret.encode(), body, hashlib.sha256).hex()


def standard_key(secret: str) -> bytes:
    """The key of Standard Webhooks: the decoded bytes after `whsec_`; a secret that is no base64 is its own bytes."""
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        return secret.encode()


def standard_signature(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """One `v1,…` item of `webhook-signature`. `timestamp` is Unix seconds of the attempt."""
    signed = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(standard_key(secret), signed, hashlib.sha256)).decode()


def request_headers(
    secrets: Sequence[str],
    *,
    event_id: str,
    event_type: str,
    attempt: int,
    timestamp: int,
    body: bytes,
    user_agent: str,
) -> dict[str, str]:
    """All headers of one attempt.

    Args:
        secrets: the current one first, then those still valid after a rotation. The hex header, which holds one
            signature, is made with the current one; the standard header holds one of each.
    """
    return {
        "Content-Type": "application/json",
        "User-Agent": user_agent,
        "X-Webhook-Signature": hex_signature(secrets[0], body),
        "X-Webhook-Event": event_type,
        "X-Webhook-Id": event_id,
        "X-Webhook-Attempt": str(attempt),
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(standard_signature(secret, event_id, timestamp, body) for secret in secrets),
    }
