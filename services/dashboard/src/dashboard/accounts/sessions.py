"""Sessions: 32 random bytes in a cookie, only their hash in the database, an idle and an absolute end."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from gateway_common.clock import Clock
from gateway_common.database import Database

# A page that is looked at moves the idle end at most once a minute: no write per request.
TOUCH_AFTER = timedelta(minutes=1)

_CREATE = """
INSERT INTO sessions (token_hash, user_id, created_at, last_seen_at, expires_at) VALUES ($1, $2, $3, $3, $4)
"""
_FIND = """
SELECT s.last_seen_at, u.id AS user_id, u.merchant_id, u.email
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.token_hash = $1 AND s.expires_at > $2 AND s.last_seen_at > $3
"""
_TOUCH = "UPDATE sessions SET last_seen_at = $2 WHERE token_hash = $1 AND last_seen_at < $2"
_END = "DELETE FROM sessions WHERE token_hash = $1"
_END_ALL = "DELETE FROM sessions WHERE user_id = $1 RETURNING token_hash"
_DELETE_OLD = "DELETE FROM sessions WHERE expires_at <= $1 OR last_seen_at <= $2"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The session of a request. `token` is the cookie's value and never leaves the process but in that cookie."""

    user_id: UUID
    merchant_id: UUID
    email: str
    token: str

    @property
    def session_id(self) -> bytes:
        return hash_token(self.token)


def hash_token(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


class Sessions:
    """`idle` ends a session that nobody uses, `lifetime` ends any."""

    def __init__(self, database: Database, clock: Clock, *, idle: timedelta, lifetime: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._idle = idle
        self._lifetime = lifetime

    async def create(self, user_id: UUID) -> str:
        """A new token for the cookie; always a fresh one, so that nobody can have planted it."""
        token = secrets.token_urlsafe(32)
        now = self._clock.now()
        await self._database.execute(_CREATE, hash_token(token), user_id, now, now + self._lifetime)
        return token

    async def find(self, token: str | None, *, is_activity: bool = True) -> SignedIn | None:
        """The session of a cookie; None when there is none or it has ended.

        With `is_activity` false the idle end stays where it is: a window that refreshes itself is nobody's presence.
        """
        if not token or len(token) > 100:
            return None
        now = self._clock.now()
        row = await self._database.fetch_one(_FIND, hash_token(token), now, now - self._idle)
        if row is None:
            return None
        if is_activity and row["last_seen_at"] < now - TOUCH_AFTER:
            await self._database.execute(_TOUCH, hash_token(token), now)
        return SignedIn(row["user_id"], row["merchant_id"], row["email"], token)

    async def end(self, token: str | None) -> None:
        if token:
            await self._database.execute(_END, hash_token(token))

    async def end_all(self, user_id: UUID) -> list[bytes]:
        """Returns the ids of the sessions that were ended, so that their live streams can be closed."""
        return [row["token_hash"] for row in await self._database.fetch(_END_ALL, user_id)]

    async def delete_old(self) -> None:
        now = self._clock.now()
        await self._database.execute(_DELETE_OLD, now, now - self._idle)
