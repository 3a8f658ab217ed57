"""How long a sign-in waits after wrong passwords.

A few mistakes cost nothing; then each further one doubles the pause. Guessing slows to about a hundred passwords a
day per account, while an owner who is locked out by a stranger waits minutes, not hours. What browsers of the same
account did before does not matter: the pause is per account and per address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Limit:
    """`free_failures` wrong passwords in a row before the first pause."""

    kind: str
    free_failures: int

    def pause_after(self, failures: int) -> timedelta:
        """The pause that the failure number `failures` brings; zero while they are few."""
        over = failures - self.free_failures
        if over < 0:
            return timedelta(0)
        # 2^6 × 30 s is over the longest already; the cap keeps the number small.
        doublings: int = 2 ** min(over, 6)
        return min(FIRST_PAUSE * doublings, LONGEST_PAUSE)


# One account's owner mistypes a few times; nobody mistypes for long.
ACCOUNT = Limit("account", 10)
# Many people of one office share an address, and all tests of one machine do.
ADDRESS = Limit("address", 40)
