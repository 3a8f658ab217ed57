"""One lane per endpoint in a process: how many requests are under way, and whether more wait in the database."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from webhooks.domain.concurrency import ConcurrencyCap


@dataclass(slots=True)
class Lane:
    """`has_backlog` says that due deliveries of this endpoint were left in the database for want of a slot."""

    endpoint_id: str
    cap: ConcurrencyCap = field(default_factory=ConcurrencyCap)
    active: int = 0
    has_backlog: bool = False
    is_pulling: bool = False
    paused_until: float = 0.0  # time.monotonic()

    @property
    def free(self) -> int:
        if time.monotonic() < self.paused_until:
            return 0
        return max(0, self.cap.slots - self.active)

    @property
    def is_idle(self) -> bool:
        return self.active == 0 and not self.has_backlog and not self.is_pulling

    def reserve(self, wanted: int) -> int:
        """Take up to `wanted` slots; the rest has to wait."""
        taken = min(wanted, self.free)
        self.active += taken
        if taken < wanted:
            self.has_backlog = True
        return taken

    def release(self, count: int = 1) -> None:
        self.active -= count

    def pause(self, seconds: float) -> None:
        self.paused_until = max(self.paused_until, time.monotonic() + seconds)


class Lanes:
    """The lanes in use; idle ones are forgotten, but for what they have learnt about many busy endpoints."""

    KEPT = 5_000

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}

    def of(self, endpoint_id: str) -> Lane:
        lane = self._lanes.get(endpoint_id)
        if lane is None:
            if len(self._lanes) >= self.KEPT:
                self._lanes = {key: kept for key, kept in self._lanes.items() if not kept.is_idle}
            lane = self._lanes[endpoint_id] = Lane(endpoint_id)
        return lane
