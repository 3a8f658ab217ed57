"""Card data on its way to the bank: a one-time token names an encrypted payload that lives in Redis for minutes.

Number and CVV are written nowhere else. The payload is sealed with AES-256-GCM; the token is the associated data, so
an entry that is copied under another token cannot be opened. Whoever loses the entry (Redis flushed, too old, key
retired) gets None, and the payment fails with `card_data_expired`.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr, field_validator

from gateway_common.cache import Redis, translated_errors
from gateway_common.card import Card
from gateway_common.clock import Clock
from gateway_common.logs import get_logger
from gateway_common.settings import SettingsPart

log = get_logger(__name__)

KEY_BYTES = 32
NONCE_BYTES = 12  # what NIST SP 800-38D recommends for GCM
# Longer than a bank takes and a processor's restart, shorter than anyone would call storage.
LIFETIME = timedelta(minutes=15)

_TOKEN_PREFIX = "ctok_"  # noqa: S105 - a prefix, not a secret


@dataclass(frozen=True, slots=True)
class CardKeys:
    """Keys by their short name; the first encrypts, all decrypt.

    Rotate by putting a new key in front everywhere and dropping the old one once `LIFETIME` has passed.
    """

    current: str
    by_name: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> CardKeys:
        """Read `k1:<base64 of 32 bytes>[,k0:…]` (setting `CARD_DATA_KEYS`).

        Raises:
            ValueError: no key, a name twice, or a key that is not 32 bytes.
        """
        by_name: dict[str, bytes] = {}
        for entry in filter(None, (part.strip() for part in text.split(","))):
            name, separator, encoded = entry.partition(":")
            try:
                key = base64.b64decode(encoded, validate=True)
            except binascii.Error as error:
                raise ValueError(f"card data key {name!r} is not base64") from error
            if not separator or not name.isalnum() or name in by_name or len(key) != KEY_BYTES:
                raise ValueError("CARD_DATA_KEYS must read name:<base64 of 32 bytes>[,name:…] with distinct names")
            by_name[name] = key
        if not by_name:
            raise ValueError("CARD_DATA_KEYS holds no key")
        return cls(next(iter(by_name)), by_name)


class CardDataSettings(SettingsPart):
    """Mixin for the settings of the two services that share card data."""

    card_data_keys: SecretStr

    @field_validator("card_data_keys")
    @classmethod
    def _is_readable(cls, value: SecretStr) -> SecretStr:
        CardKeys.parse(value.get_secret_value())
        return value


class CardVault:
    """Stores and opens card data. Every method raises `CacheUnavailableError` when Redis does not answer."""

    def __init__(self, redis: Redis, keys: CardKeys, clock: Clock) -> None:
        self._redis = redis
        self._keys = keys
        self._ciphers = {name: AESGCM(key) for name, key in keys.by_name.items()}
        self._clock = clock

    async def store(self, card: Card) -> str:
        """Encrypt and keep `card` for `LIFETIME`; returns its one-time token."""
        token = _TOKEN_PREFIX + secrets.token_urlsafe(24)
        clear = orjson.dumps(
            {
                "number": card.number,
                "expiry_month": card.expiry_month,
                "expiry_year": card.expiry_year,
                "cvv": card.cvv,
                "holder_name": card.holder_name,
                "expires_at": (self._clock.now() + LIFETIME).timestamp(),
            }
        )
        nonce = secrets.token_bytes(NONCE_BYTES)
        name = self._keys.current
        sealed = self._ciphers[name].encrypt(nonce, clear, _bound_to(name, token))
        with translated_errors():
            await self._redis.set(
                _entry(token), name.encode() + b":" + nonce + sealed, ex=int(LIFETIME.total_seconds())
            )
        return token

    async def load(self, token: str) -> Card | None:
        """The card, or None when it is gone, too old, or cannot be opened."""
        with translated_errors():
            value = await self._redis.get(_entry(token))
        if not isinstance(value, bytes):
            return None
        encoded_name, _, rest = value.partition(b":")
        name = encoded_name.decode("ascii", "replace")
        cipher = self._ciphers.get(name)
        if cipher is None:
            log.error("card_data.key_unknown", key=name)
            return None
        try:
            clear = orjson.loads(cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], _bound_to(name, token)))
        except (InvalidTag, ValueError):
            log.error("card_data.unreadable", key=name)
            return None
        # Redis may have been restored from a copy that forgot when an entry ends.
        if clear.pop("expires_at") <= self._clock.now().timestamp():
            return None
        return Card(**clear)

    async def delete(self, token: str) -> None:
        """Once the bank has answered."""
        with translated_errors():
            await self._redis.delete(_entry(token))


def _entry(token: str) -> str:
    return f"card:{{{token}}}"


def _bound_to(key_name: str, token: str) -> bytes:
    return f"card:{key_name}:{token}".encode()
