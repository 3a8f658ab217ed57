"""A new merchant with its first pair of keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from gateway_common.auth.secrets import checkout_signing_key, hash_secret, new_api_key, new_api_secret
from gateway_common.database import Database
from payments_api.repositories import merchants
from payments_api.repositories.merchants import NewKey


@dataclass(frozen=True, slots=True)
class RegisteredMerchant:
    """The secret is known here and nowhere else; it is shown once."""

    id: UUID
    name: str
    email: str
    api_key: str
    api_secret: str = field(repr=False)

    def as_shown_once(self) -> dict[str, str]:
        return {
            "id": str(self.id),
            "name": self.name,
            "email": self.email,
            "api_key": self.api_key,
            "api_secret": self.api_secret,
            "checkout_signing_key": checkout_signing_key(self.api_secret),
        }


class _EmailTakenError(Exception):
    pass


def make_key(api_key: str, api_secret: str, key_id: UUID | None = None) -> NewKey:
    return NewKey(key_id or uuid4(), api_key, hash_secret(api_secret), checkout_signing_key(api_secret))


async def register_merchant(
    database: Database, now: datetime, name: str, email: str, *, is_test: bool
) -> RegisteredMerchant | None:
    """None when the email address is taken."""
    made = RegisteredMerchant(uuid4(), name, email, new_api_key(is_test=is_test), new_api_secret(is_test=is_test))
    try:
        async with database.transaction() as transaction:
            key = make_key(made.api_key, made.api_secret)
            if not await merchants.insert(transaction, made.id, name, email, key, now):
                raise _EmailTakenError
    except _EmailTakenError:
        return None
    return made
