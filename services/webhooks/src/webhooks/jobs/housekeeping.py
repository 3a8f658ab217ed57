"""Partitions made ahead and dropped whole when old; expired keys, secrets and counts forgotten."""

from __future__ import annotations

from datetime import timedelta

from gateway_common.clock import Clock
from gateway_common.database import Database, partitions
from gateway_common.idempotency.fence import delete_old
from webhooks.repositories.endpoints import forget_expired_secrets

EVERY_SECONDS = 3600.0

_PARTITIONED = ("events", "deliveries", "attempts")
_FORGET_COUNTS = "DELETE FROM delivery_counts WHERE day < $1 OR count = 0"
# Held for an endpoint that stayed down longer than the recovery window: nobody will send them by himself any more.
_GIVE_UP_HELD = """
UPDATE deliveries SET status = 'failed', reason = 'endpoint_down', claimed_until = NULL
WHERE status = 'pending' AND next_retry_at IS NULL AND created_at < $1
"""


async def make_partitions(database: Database, clock: Clock, retention_days: int) -> None:
    for table in _PARTITIONED:
        await partitions.maintain(database, table, column="created_at", now=clock.now(), keep_days=retention_days)


async def keep_house(database: Database, clock: Clock, retention_days: int, recovery_window: timedelta) -> None:
    """Repeatable, and safe in several processes at once."""
    await make_partitions(database, clock, retention_days)
    now = clock.now()
    await database.execute(_FORGET_COUNTS, (now - timedelta(days=retention_days)).date())
    await database.execute(_GIVE_UP_HELD, now - recovery_window)
    await forget_expired_secrets(database, now)
    await delete_old(database, now)
