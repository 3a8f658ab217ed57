"""A small count per minute, in memory: for what costs little and is open to visitors in test mode only."""

from __future__ import annotations

import time
from collections import Counter


class PerMinute:
    """Fixed windows; one process counts for itself."""

    def __init__(self) -> None:
        self._minute = 0
        self._counts: Counter[str] = Counter()

    def take(self, name: str, limit: int) -> bool:
        """False when `name` had its `limit` in this minute."""
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute = minute
            self._counts.clear()
        self._counts[name] += 1
        return self._counts[name] <= limit
