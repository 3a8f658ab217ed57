"""Hourly sums per merchant, kept with every change of a payment, so that a summary costs the same at any size.

Only verdicts are summed: counting creations here would make every payment of a merchant wait for one row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway_common.database import Connection, Database, Row

_ADD = """
INSERT INTO payment_rollups AS known (merchant_id, hour, success_count, cancelled_count, amount, amount_refunded)
VALUES ($1, date_trunc('hour', $2::timestamptz, 'UTC'), $3, $4, $5, $6)
ON CONFLICT (merchant_id, hour) DO UPDATE SET
    success_count = known.success_count + excluded.success_count,
    cancelled_count = known.cancelled_count + excluded.cancelled_count,
    amount = known.amount + excluded.amount,
    amount_refunded = known.amount_refunded + excluded.amount_refunded
"""
_READ = """
SELECT date_trunc($4, hour, 'UTC') AS at, sum(success_count)::bigint AS success_count, sum(failed_count)::bigint AS failed_count,
    sum(cancelled_count)::bigint AS cancelled_count, sum(amount)::bigint AS amount, sum(amount_refunded)::bigint AS amount_refunded
FROM payment_rollups WHERE merchant_id = $1 AND hour >= $2 AND hour <= $3
GROUP BY 1 ORDER BY 1
"""
_PENDING = """
SELECT date_trunc($4, created_at, 'UTC') AS at, count(*) AS count FROM payments
WHERE status = 'pending' AND merchant_id = $1 AND created_at >= $2 AND created_at <= $3
GROUP BY 1 ORDER BY 1
"""
_DECIDED_OF_ALL = "SELECT coalesce(sum(success_count + failed_count + cancelled_count), 0)::bigint FROM payment_rollups"


@dataclass(frozen=True, slots=True)
class RollupChange:
    """What one payment's change adds to the hour of its creation."""

    success_count: int = 0
    cancelled_count: int = 0
    amount: int = 0
    amount_refunded: int = 0


async def add(transaction: Connection, merchant_id: UUID, created_at: datetime, change: RollupChange) -> None:
    await transaction.execute(
        _ADD,
        merchant_id,
        created_at,
        change.success_count,
        change.cancelled_count,
        change.amount,
        change.amount_refunded,
    )


async def read(database: Database, merchant_id: UUID, since: datetime, until: datetime, interval: str) -> list[Row]:
    """Sums per `interval` (`hour` or `day`, UTC) of payments created between the two."""
    return await database.fetch(_READ, merchant_id, since, until, interval)


async def pending(database: Database, merchant_id: UUID, since: datetime, until: datetime, interval: str) -> list[Row]:
    """How many payments wait for a verdict, per `interval`."""
    return await database.fetch(_PENDING, merchant_id, since, until, interval)


async def decided_of_all(database: Database) -> int:
    """Payments of every merchant that have their verdict."""
    count: int = await database.fetch_value(_DECIDED_OF_ALL)
    return count
