"""Endpoint secrets at rest: AES-256-GCM, because they must be read to sign and a stolen backup must not be enough."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class SecretSealer:
    """`seal` encrypts with the first key, `open` with whichever key a text was sealed with. A text names its key."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        """`keys` maps key ids to 32 bytes; the first one encrypts."""
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._current = next(iter(keys))

    @classmethod
    def from_settings(cls, keys: str | None, internal_token_secret: str) -> Self:
        """Raises `ValueError` for keys that are not `id:<base64 of 32 bytes>`, separated by commas."""
        if keys is None:
            return cls({"derived": hashlib.sha256(b"webhook-secrets:" + internal_token_secret.encode()).digest()})
        found: dict[str, bytes] = {}
        for item in keys.split(","):
            name, _, encoded = item.strip().partition(":")
            try:
                found[name] = base64.b64decode(encoded, validate=True)
            except binascii.Error as error:
                raise ValueError("WEBHOOK_SECRET_KEYS: a key is not base64") from error
            if not name or len(found[name]) != 32:
                raise ValueError("WEBHOOK_SECRET_KEYS: each key is id:<base64 of 32 bytes>")
        return cls(found)

    def seal(self, secret: str, endpoint_id: str) -> str:
        """Bound to the endpoint: a sealed text copied to another endpoint's row does not open."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, secret.encode(), endpoint_id.encode())
        return f"{self._current}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, endpoint_id: str) -> str:
        """Raises `ValueError` when the key is missing or the text was changed."""
        name, _, encoded = sealed.partition(":")
        raw = base64.b64decode(encoded)
        try:
            return self._ciphers[name].decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], endpoint_id.encode()).decode()
        except (KeyError, InvalidTag) as error:
            raise ValueError(f"a webhook secret cannot be read: is key {name!r} in WEBHOOK_SECRET_KEYS?") from error
