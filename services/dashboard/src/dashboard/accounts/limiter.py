"""Counts wrong passwords in PostgreSQL (docs/decisions/0042): a wiped cache must not forgive a guesser.

An attempt is counted as a failure before the password is looked at, under the row's lock, so that a hundred attempts at
the same moment are a hundred counts; a right password takes its count back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from dashboard.domain.sign_in_rules import ACCOUNT, ADDRESS, Limit
from dashboard.errors import SignInLimitedError
from gateway_common.clock import Clock
from gateway_common.database import Database

# A row that nobody touched for a day starts over, and housekeeping deletes it.
FORGET_AFTER = timedelta(days=1)

_ENSURE = """
INSERT INTO sign_in_limits (subject, failures, updated_at) VALUES ($1, 0, $2) ON CONFLICT (subject) DO NOTHING
"""
_READ = "SELECT failures, locked_until, updated_at FROM sign_in_limits WHERE subject = $1 FOR UPDATE"
_WRITE = "UPDATE sign_in_limits SET failures = $2, locked_until = $3, updated_at = $4 WHERE subject = $1"
_FORGET = "DELETE FROM sign_in_limits WHERE subject = $1"
_TAKE_BACK = """
UPDATE sign_in_limits SET failures = greatest(failures - 1, 0), locked_until = NULL WHERE subject = $1
"""
_DELETE_OLD = "DELETE FROM sign_in_limits WHERE updated_at < $1"


class SignInLimiter:
    """Per account and per address; see `domain/sign_in_rules.py` for the numbers."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, email: str, address: str) -> None:
        """Count one attempt.

        Raises:
            SignInLimitedError: the account or the address has to wait; nothing was counted.
        """
        for limit, name in ((ADDRESS, address), (ACCOUNT, email)):
            await self._count(limit, f"{limit.kind}:{name}", self._clock.now())

    async def succeeded(self, email: str, address: str) -> None:
        """The password was right: the account starts over, the address gets this attempt back."""
        await self._database.execute(_FORGET, f"{ACCOUNT.kind}:{email}")
        await self._database.execute(_TAKE_BACK, f"{ADDRESS.kind}:{address}")

    async def delete_old(self) -> None:
        await self._database.execute(_DELETE_OLD, self._clock.now() - FORGET_AFTER)

    async def _count(self, limit: Limit, subject: str, now: datetime) -> None:
        async with self._database.transaction() as transaction:
            await transaction.execute(_ENSURE, subject, now)
            row = await transaction.fetchrow(_READ, subject)
            if row is None:  # housekeeping took it in between; the next attempt is counted
                return
            locked_until = row["locked_until"]
            if locked_until is not None and locked_until > now:
                raise SignInLimitedError(int((locked_until - now).total_seconds()) + 1)
            failures = 1 if row["updated_at"] < now - FORGET_AFTER else row["failures"] + 1
            pause = limit.pause_after(failures)
            await transaction.execute(_WRITE, subject, failures, now + pause if pause else None, now)
