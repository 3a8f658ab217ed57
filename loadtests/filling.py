"""Fill one merchant's history with payments, straight in the database, and take it away again.

A million payments through the API would take an hour; the rows are the same, with their hourly sums.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg

CHUNK = 50_000
SECONDS_APART = 30

# Every order and every VPA has a full page of payments at 10,000 already. One in twelve failed, one in a thousand was cancelled;
# one in twenty pending would be unlike life, so all have a verdict.
_PAYMENTS = """
INSERT INTO payments (merchant_id, id, order_id, amount, currency, method, vpa, card_network, card_last4, capture_mode,
    is_exclusive, status, created_message_id, request_id, traceparent, created_at, updated_at, decided_at, error_code)
SELECT $1, 'pay_' || substr(md5($2::text || n::text || 'p'), 1, 16), 'lc-' || n % 100, 10000 + n % 90000, 'INR',
    CASE WHEN n % 5 < 3 THEN 'upi' ELSE 'card' END, CASE WHEN n % 5 < 3 THEN 'user' || n % 100 || '@upi' END,
    CASE WHEN n % 5 >= 3 THEN 'visa' END, CASE WHEN n % 5 >= 3 THEN lpad((n % 10000)::text, 4, '0') END, 'manual', false,
    CASE WHEN n % 1000 = 0 THEN 'cancelled' WHEN n % 12 = 0 THEN 'failed' ELSE 'success' END,
    'evt_' || substr(md5(n::text), 1, 16), '', '', made.at, made.at, made.at, CASE WHEN n % 12 = 0 THEN 'PAYMENT_FAILED' END
FROM generate_series($3::integer, $4::integer) AS n,
    LATERAL (SELECT $5::timestamptz + n * make_interval(secs => $6) AS at) AS made
"""

_SUMS = """
INSERT INTO payment_rollups (merchant_id, hour, success_count, failed_count, cancelled_count, amount)
SELECT merchant_id, date_trunc('hour', created_at, 'UTC'), count(*) FILTER (WHERE status = 'success'),
    count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE status = 'cancelled'),
    coalesce(sum(amount) FILTER (WHERE status = 'success'), 0)
FROM payments WHERE merchant_id = $1 GROUP BY 1, 2
ON CONFLICT (merchant_id, hour) DO UPDATE SET
    success_count = excluded.success_count, failed_count = excluded.failed_count,
    cancelled_count = excluded.cancelled_count, amount = excluded.amount
"""


async def fill(database: asyncpg.Connection, merchant_id: UUID, have: int, want: int, since: datetime) -> None:
    """Add payments number `have + 1` to `want`; number n was made `n * SECONDS_APART` seconds after `since`."""
    await database.execute("SET statement_timeout = 0")
    for start in range(have + 1, want + 1, CHUNK):
        end = min(start + CHUNK - 1, want)
        await database.execute(
            _PAYMENTS, merchant_id, str(merchant_id), start, end, since, SECONDS_APART, timeout=300
        )  # fmt: skip
    await database.execute(_SUMS, merchant_id, timeout=300)
    await database.execute("VACUUM ANALYZE payments", timeout=600)


async def clear(database: asyncpg.Connection, merchant_id: UUID) -> None:
    """The merchant and everything of it that payments-api keeps."""
    await database.execute("SET statement_timeout = 0")
    for table in ("payments", "orders", "payment_rollups", "api_keys"):
        await database.execute(f"DELETE FROM {table} WHERE merchant_id = $1", merchant_id, timeout=600)
    await database.execute("DELETE FROM merchants WHERE id = $1", merchant_id)
