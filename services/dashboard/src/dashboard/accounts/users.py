"""People who may sign in; each belongs to one merchant."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from gateway_common.database import Database

_FIND = "SELECT id, merchant_id, email, password_hash FROM users WHERE email = $1"
_FIND_BY_ID = "SELECT id, merchant_id, email, password_hash FROM users WHERE id = $1"
_ADD = """
INSERT INTO users (id, merchant_id, email, password_hash) VALUES ($1, $2, $3, $4)
ON CONFLICT (email) DO NOTHING RETURNING id
"""
_UPDATE_HASH = "UPDATE users SET password_hash = $2, password_changed_at = now() WHERE id = $1"


@dataclass(frozen=True, slots=True)
class User:
    id: UUID
    merchant_id: UUID
    email: str
    password_hash: str


def normalise_email(email: str) -> str:
    return email.strip().lower()


class Users:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, email: str) -> User | None:
        row = await self._database.fetch_one(_FIND, normalise_email(email))
        return None if row is None else User(**row)

    async def get(self, user_id: UUID) -> User | None:
        row = await self._database.fetch_one(_FIND_BY_ID, user_id)
        return None if row is None else User(**row)

    async def add(self, merchant_id: UUID, email: str, password_hash: str) -> UUID | None:
        """The new user's id; None when the address is taken."""
        found: UUID | None = await self._database.fetch_value(
            _ADD, uuid4(), merchant_id, normalise_email(email), password_hash
        )
        return found

    async def set_password(self, user_id: UUID, password_hash: str) -> None:
        await self._database.execute(_UPDATE_HASH, user_id, password_hash)
