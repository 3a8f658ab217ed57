"""Sign-in, sign-up and password change as use cases."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from dashboard.accounts.limiter import SignInLimiter
from dashboard.accounts.passwords import Passwords, check_new_password
from dashboard.accounts.sessions import Sessions, SignedIn
from dashboard.accounts.users import User, Users, normalise_email
from dashboard.errors import FormError
from dashboard.gateway.merchants import Merchants

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\Z")

WRONG = "That email and password do not match. Check both and try again."
TAKEN = "There is an account with this email already. Sign in instead."


class Accounts:
    """Wires users, passwords, sessions and the limit together."""

    def __init__(
        self, users: Users, passwords: Passwords, sessions: Sessions, limiter: SignInLimiter, merchants: Merchants
    ) -> None:
        self.users = users
        self.passwords = passwords
        self.sessions = sessions
        self.limiter = limiter
        self._merchants = merchants

    async def sign_in(self, email: str, password: str, address: str, old_token: str | None) -> str:
        """The new session's token. The browser's old session ends: it might be somebody else's (fixation).

        Raises:
            FormError: no such account or another password; which of them is not told.
            SignInLimitedError: too many attempts.
        """
        email = normalise_email(email)[:254]
        await self.limiter.begin(email, address)
        user = await self.users.find(email)
        is_right = await self.passwords.matches(password, user.password_hash if user else None)
        if user is None or not is_right:
            raise FormError(WRONG)
        await self.limiter.succeeded(email, address)
        await self.sessions.end(old_token)
        return await self.sessions.create(user.id)

    async def sign_up(self, name: str, email: str, password: str) -> tuple[UUID, dict[str, Any]]:
        """A new merchant and its first user; returns the user's id and the merchant with its secrets (shown once).

        The merchant is made first. If this process dies before the user is written, the address is taken and an
        operator gives it a user (`python -m dashboard add-user`).

        Raises:
            FormError: something is missing, or the address is taken.
        """
        name, email = name.strip(), normalise_email(email)
        if not 1 <= len(name) <= 100:
            raise FormError("Enter the name of your business, up to 100 characters", field="name")
        if not _EMAIL.match(email):
            raise FormError("Enter an email address such as you@example.com", field="email")
        check_new_password(password)
        password_hash = await self.passwords.hash(password)
        if await self.users.find(email) is not None:
            raise FormError(TAKEN, field="email")
        merchant = await self._merchants.create(name, email)
        if merchant is None:
            raise FormError(TAKEN, field="email")
        user_id = await self.users.add(UUID(merchant["id"]), email, password_hash)
        if user_id is None:
            raise FormError(TAKEN, field="email")
        return user_id, merchant

    async def change_password(self, who: SignedIn, current: str, new: str, address: str) -> tuple[str, list[bytes]]:
        """A new session for this browser; all others of the user end. Returns its token and the ids that ended.

        Raises:
            FormError: the current password is wrong or the new one unfit.
            SignInLimitedError: too many wrong ones, counted together with those at sign-in.
        """
        check_new_password(new)
        user: User | None = await self.users.get(who.user_id)
        await self.limiter.begin(who.email, address)
        if user is None or not await self.passwords.matches(current, user.password_hash):
            raise FormError("The current password is not right", field="current")
        await self.limiter.succeeded(who.email, address)
        await self.users.set_password(user.id, await self.passwords.hash(new))
        ended = await self.sessions.end_all(user.id)
        return await self.sessions.create(user.id), ended
