"""What the signatures on a webhook prove (EVENTS.md, Request), checked as a merchant's server would."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping

HEX_HEADER = "x-webhook-signature"
STANDARD_HEADER = "webhook-signature"


def _hex_matches(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), headers.get(HEX_HEADER, "").encode())


def _standard_matches(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    rest = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(rest, validate=True)
    except binascii.Error:
        # The seeded secret is no base64; its own bytes are the key.
        key = secret.encode()
    signed = f"{headers.get('webhook-id', '')}.{headers.get('webhook-timestamp', '')}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    given = headers.get(STANDARD_HEADER, "").encode().split()
    return any(hmac.compare_digest(expected, one) for one in given)


def verified_by(secrets: Iterable[str], headers: Mapping[str, str], body: bytes) -> list[str]:
    """Which of the two signature headers verify with one of `secrets`. Header names in lower case."""
    known = list(secrets)
    checks = ((HEX_HEADER, _hex_matches), (STANDARD_HEADER, _standard_matches))
    return [name for name, matches in checks if any(matches(secret, headers, body) for secret in known)]
