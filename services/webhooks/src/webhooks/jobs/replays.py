"""Work running replays: a bite of each at its own rate, oldest first."""

from __future__ import annotations

from gateway_common.clock import Clock
from gateway_common.database import Database
from webhooks.delivery.wakeups import Wakeups
from webhooks.repositories import replays

EVERY_SECONDS = 1.0


async def work(database: Database, wakeups: Wakeups, clock: Clock) -> None:
    """One second's worth of every running replay. A crash in between repeats nothing: cursor and rows move together."""
    now = clock.now()
    for job in await replays.running(database):
        dues = await replays.take_bite(database, job, now)
        await wakeups.send(dues, now)
