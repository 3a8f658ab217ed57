"""How many requests one endpoint may have in flight: more while it answers fast, fewer when it is slow or asks for less."""

from __future__ import annotations

from dataclasses import dataclass

START = 16
MOST = 128
LEAST = 2
# Little's law: what answers within 250 ms at 128 in flight takes 512 requests a second, more than one worker sends.
FAST_SECONDS = 0.25
SLOW_SECONDS = 1.0


@dataclass(slots=True)
class ConcurrencyCap:
    """Additive increase, multiplicative decrease, as congestion control does it."""

    limit: float = START

    @property
    def slots(self) -> int:
        return int(self.limit)

    def record(self, seconds: float, *, is_success: bool, asks_for_less: bool = False) -> None:
        """Learn from one answer. `asks_for_less` is a 429 or 503."""
        if asks_for_less or seconds >= SLOW_SECONDS:
            self.limit = max(LEAST, self.limit / 2)
        elif is_success and seconds <= FAST_SECONDS:
            self.limit = min(MOST, self.limit + 0.5)
