"""Passwords are kept as Argon2id hashes; checking one takes tens of milliseconds of a core, so few run at once."""

from __future__ import annotations

import asyncio
from functools import partial

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from dashboard.errors import FormError

# OWASP's minimum for Argon2id: 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Checked against when there is no such account, so that both answers take the same time.
_NOBODY = _HASHER.hash("no account has this password")
# Each check fills 19 MiB and a core; more at once would only slow all of them down.
_SLOTS = 2

SHORTEST = 10
LONGEST = 200


class Passwords:
    """Hash and check without blocking the event loop."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(_SLOTS)

    async def hash(self, password: str) -> str:
        async with self._slots:
            return await asyncio.to_thread(_HASHER.hash, password)

    async def matches(self, password: str, password_hash: str | None) -> bool:
        """False for no account (`None`), after the same work."""
        async with self._slots:
            is_right = await asyncio.to_thread(partial(_verify, password_hash or _NOBODY, password))
        return is_right and password_hash is not None


def check_new_password(password: str) -> None:
    """Length is what counts (NIST SP 800-63B); no rules on kinds of characters.

    Raises:
        FormError: too short or too long.
    """
    if len(password) < SHORTEST:
        raise FormError(f"Choose a password of at least {SHORTEST} characters", field="password")
    if len(password) > LONGEST:
        raise FormError(f"Choose a password of at most {LONGEST} characters", field="password")


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
