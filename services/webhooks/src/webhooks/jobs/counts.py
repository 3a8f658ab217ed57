"""Fold the count changes that triggers write into totals, so that a list's `total` reads few rows however many deliveries there are."""

from __future__ import annotations

from gateway_common.database import Database

EVERY_SECONDS = 2.0
_BATCH = 20_000

_FOLD = f"""
WITH taken AS (
    DELETE FROM delivery_count_changes WHERE number IN (
        SELECT number FROM delivery_count_changes ORDER BY number LIMIT {_BATCH} FOR UPDATE SKIP LOCKED)
    RETURNING merchant_id, day, endpoint_id, event_type, status, change
), folded AS (
    INSERT INTO delivery_counts AS known (merchant_id, day, endpoint_id, event_type, status, count)
    SELECT merchant_id, day, endpoint_id, event_type, status, sum(change) FROM taken GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (merchant_id, day, endpoint_id, event_type, status)
    DO UPDATE SET count = known.count + excluded.count
)
SELECT count(*) FROM taken
"""


async def fold(database: Database) -> None:
    while await database.fetch_value(_FOLD) == _BATCH:
        continue
