"""Read and write the bank's books; writes are gathered so that thousands a second are possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway_common.database import Database, Row
from processor.collector import Collector
from processor.domain.operations import Kind

# Whoever asks first decides; who asks again is counted and reads what was decided. Sorted, so that two batches of
# two processes with the same references cannot deadlock.
_DECIDE = """
INSERT INTO operations AS known (kind, reference, payment_id, merchant_id, amount, currency, outcome, reason, decided_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::bigint[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[]) AS given (kind, reference, payment_id, merchant_id, amount, currency, outcome, reason, decided_at)
ORDER BY kind, reference
ON CONFLICT (kind, reference) DO UPDATE SET asked_count = known.asked_count + 1
RETURNING id, kind, reference, outcome, reason
"""
_FIND = "SELECT id, kind, reference, outcome, reason FROM operations WHERE kind = $1 AND reference = $2"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the bank is about to write, should it be the first time that it hears of `reference`."""

    kind: Kind
    reference: str
    payment_id: str
    merchant_id: UUID
    amount: int
    currency: str
    is_success: bool
    reason: str | None
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Booked:
    """What the books say of a reference."""

    number: int
    is_success: bool
    reason: str | None


class Books:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._writes = Collector(self._write)

    async def decide(self, entry: Entry) -> Booked:
        """Book `entry`, or find what an earlier question with this reference booked. Returns once it is on disk."""
        return await self._writes.submit(entry)

    async def find(self, kind: Kind, reference: str) -> Booked | None:
        row = await self._database.fetch_one(_FIND, kind, reference)
        return None if row is None else _as_booked(row)

    async def _write(self, entries: Sequence[Entry]) -> list[Booked]:
        """The same reference twice in one batch is one question: a statement cannot touch a row twice."""
        first = {(entry.kind, entry.reference): entry for entry in reversed(entries)}
        columns = zip(
            *(
                (
                    entry.kind,
                    entry.reference,
                    entry.payment_id,
                    entry.merchant_id,
                    entry.amount,
                    entry.currency,
                    "succeeded" if entry.is_success else "declined",
                    entry.reason,
                    entry.decided_at,
                )
                for entry in first.values()
            ),
            strict=True,
        )
        rows = await self._database.fetch(_DECIDE, *columns)
        booked = {(row["kind"], row["reference"]): _as_booked(row) for row in rows}
        return [booked[entry.kind, entry.reference] for entry in entries]


def _as_booked(row: Row) -> Booked:
    return Booked(row["id"], row["outcome"] == "succeeded", row["reason"])
