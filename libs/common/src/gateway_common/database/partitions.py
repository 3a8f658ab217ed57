"""Daily partitions: made ahead, dropped whole when old, which costs nothing where a DELETE would cost every row.

A partitioned table is `PARTITION BY RANGE (<a timestamptz column>)` and has a `<table>_default` partition,
so that a missed run never fails an insert.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from asyncpg.exceptions import CheckViolationError, DuplicateTableError

from gateway_common.database.pool import Database
from gateway_common.logs import get_logger

log = get_logger(__name__)

DAYS_AHEAD = 3


def _name(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m%d}"


async def maintain(database: Database, table: str, *, column: str, now: datetime, keep_days: int) -> None:
    """Make the partitions of today and the next days, and drop those that ended more than `keep_days` ago.

    `column` is the timestamptz the table is partitioned by.
    Safe to run at the same time from several processes: one takes the lock, the others skip.
    """
    today = now.astimezone(UTC).date()
    async with database.transaction() as transaction:
        if not await transaction.fetchval("SELECT pg_try_advisory_xact_lock(hashtext($1))", f"partitions:{table}"):
            return
        await transaction.execute("SET LOCAL lock_timeout = '2s'")
        rows = await transaction.fetch(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace n ON n.oid = p.relnamespace"
            " WHERE p.relname = $1 AND n.nspname = current_schema()",
            table,
        )
        present = {row["relname"] for row in rows}
        for offset in range(DAYS_AHEAD + 1):
            day = today + timedelta(days=offset)
            if _name(table, day) in present:
                continue
            # A day that already has rows in the default partition is refused (23514); they are deleted there when old.
            try:
                async with transaction.transaction():
                    await transaction.execute(
                        f"CREATE TABLE {_name(table, day)} PARTITION OF {table}"
                        f" FOR VALUES FROM ('{day:%Y-%m-%d}') TO ('{day + timedelta(days=1):%Y-%m-%d}')"
                    )
            except (CheckViolationError, DuplicateTableError):
                continue
        oldest = _name(table, today - timedelta(days=keep_days))
        await transaction.execute(
            f"DELETE FROM {table}_default WHERE {column} < $1", now.astimezone(UTC) - timedelta(days=keep_days + 1)
        )
        for name in sorted(present):
            suffix = name.removeprefix(f"{table}_")
            if suffix.isdigit() and name < oldest:
                await transaction.execute(f"DROP TABLE {name}")
                log.info("partition.dropped", table=table, partition=name)
