"""Pending payments that take too long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway_common.database import Database
from gateway_common.outbox import writing
from gateway_common.outbox.writing import OutgoingMessage
from payments_api.domain.payment import Payment
from payments_api.rendering import event_json
from payments_api.repositories.rows import PAYMENT_COLUMNS

_MEASURE = """
SELECT min(created_at) AS oldest, count(*) FILTER (WHERE created_at < $1) AS over_age FROM payments WHERE status = 'pending'
"""
# The pause after the n-th time is the expected time, doubled n times, at most 64-fold. Nothing is done while the
# message of the last time still waits in the outbox: the broker is the one who is late then.
_TAKE = f"""
SELECT {PAYMENT_COLUMNS}, created_message_id, card_token, request_id, traceparent
FROM payments
WHERE status = 'pending' AND created_at < $1::timestamptz - $2::interval
    AND (redriven_at IS NULL OR redriven_at < $1 - $2 * power(2, least(redriven_count, 6)))
ORDER BY created_at
LIMIT $3
FOR UPDATE SKIP LOCKED
"""
_IS_RELAY_BEHIND = "SELECT EXISTS (SELECT FROM outbox WHERE sent_at IS NULL AND created_at < $1)"
_MARK = """
UPDATE payments p SET redriven_at = $3, redriven_count = least(redriven_count + 1, 1000)
FROM unnest($1::uuid[], $2::text[]) AS given (merchant_id, id)
WHERE p.merchant_id = given.merchant_id AND p.id = given.id
"""


@dataclass(frozen=True, slots=True)
class PendingAges:
    oldest: datetime | None
    over_age: int


async def measure(database: Database, bound: datetime) -> PendingAges:
    row = await database.fetch_one(_MEASURE, bound)
    assert row is not None, "an aggregate has one row"
    return PendingAges(row["oldest"], row["over_age"])


async def send_again(database: Database, now: datetime, expected: timedelta, limit: int) -> int:
    """Put `payment.created` of overdue payments into the outbox once more, as it was. Returns how many."""
    async with database.transaction() as transaction:
        if await transaction.fetchval(_IS_RELAY_BEHIND, now - expected):
            return 0
        rows = await transaction.fetch(_TAKE, now, expected, limit)
        if not rows:
            return 0
        messages = []
        for row in rows:
            *columns, message_id, card_token, request_id, traceparent = row.values()
            payment = Payment(*columns)
            messages.append(
                OutgoingMessage(
                    "payment.created",
                    payment.merchant_id,
                    event_json(payment, 1, payment.created_at, card_token=card_token),
                    payment.created_at,
                    message_id=message_id,
                    request_id=request_id,
                    traceparent=traceparent,
                )
            )
        await writing.add(transaction, messages)
        await transaction.execute(_MARK, [row["merchant_id"] for row in rows], [row["id"] for row in rows], now)
    return len(rows)
