"""The inbox: which messages a consumer has already worked, written in the same transaction as their effect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway_common.database import Connection

_CLAIM = """
INSERT INTO inbox (message_id, consumer, message_time)
SELECT m, $2, t FROM unnest($1::text[], $3::timestamptz[]) AS given (m, t)
ON CONFLICT DO NOTHING
RETURNING message_id
"""


async def claim_new(transaction: Connection, consumer: str, messages: Sequence[tuple[str, datetime]]) -> set[str]:
    """Record `(message_id, message_time)` pairs and return the ids seen for the first time.

    A second transaction with the same id waits for the first to end, so an effect guarded by the answer happens once.
    """
    if not messages:
        return set()
    ordered = sorted(set(messages))  # one order for all, so that two batches cannot deadlock
    rows = await transaction.fetch(_CLAIM, [m for m, _ in ordered], consumer, [t for _, t in ordered])
    return {row["message_id"] for row in rows}
