"""SQL of this service. Hot statements take a batch as arrays and are one round trip in autocommit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gateway_common.database import Database, Row
from gateway_common.ids import EventId, new_event_id
from gateway_common.outbox import writing
from processor.domain.operations import Answer, Asked, Kind, Operation, Outcome
from processor.results import result_event

# LATERAL with a LIMIT is one index look-up per key. A plain join would be planned, and its plan kept, as a scan of the
# whole table for as long as that was small when it was last analysed.
_FIND_KNOWN = """
SELECT known.* FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS asked (m, p, k, r)
CROSS JOIN LATERAL (
    SELECT * FROM acquirer_operations WHERE (merchant_id, payment_id, kind, reference) = (m, p, k, r) LIMIT 1
) AS known
"""

# A decided operation never changes (domain/states.py), and only who decides it writes the result event.
# Sorted, so that two processes with the same redelivered messages cannot deadlock.
# What is due when is by the database's clock: one clock for all processes, whatever theirs say.
RECORD = f"""
WITH given AS (
    SELECT *, CASE WHEN outcome = 'unknown' THEN now() + $1::interval END AS next_inquiry_at,
        CASE WHEN outcome <> 'unknown' THEN now() END AS told_at
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[],
        $10::text[], $11::text[], $12::text[], $13::int[], $14::timestamptz[], $15::timestamptz[], $16::timestamptz[],
        $17::text[], $18::text[], $19::text[], $20::text[], $21::text[])
    AS given (merchant_id, payment_id, kind, reference, amount, currency, method, outcome, reason, description,
        acquirer_reference, attempts, asked_at, gave_up_at, answered_at, result_message_id, request_id, traceparent,
        event_type, payload)
), recorded AS (
    INSERT INTO acquirer_operations AS known (merchant_id, payment_id, kind, reference, amount, currency, method, outcome,
        reason, description, acquirer_reference, attempts, asked_at, gave_up_at, answered_at, result_message_id, request_id,
        traceparent, next_inquiry_at, told_at)
    SELECT merchant_id, payment_id, kind, reference, amount, currency, method, outcome, reason, description,
        acquirer_reference, attempts, asked_at, gave_up_at, answered_at, result_message_id, request_id, traceparent,
        next_inquiry_at, told_at
    FROM given ORDER BY merchant_id, payment_id, kind, reference
    ON CONFLICT (merchant_id, payment_id, kind, reference) DO UPDATE
        SET outcome = excluded.outcome, reason = excluded.reason, description = excluded.description,
            acquirer_reference = excluded.acquirer_reference, answered_at = excluded.answered_at,
            result_message_id = excluded.result_message_id, next_inquiry_at = NULL, told_at = excluded.told_at
        WHERE known.outcome = 'unknown' AND excluded.outcome <> 'unknown'
    RETURNING kind, reference
)
INSERT INTO outbox ({writing.COLUMNS})
SELECT result_message_id, event_type, merchant_id, payload, request_id, traceparent, answered_at
FROM given JOIN recorded USING (kind, reference) WHERE payload IS NOT NULL
"""

# The pause doubles with each inquiry. It is set before the bank is asked: a process that dies then costs one pause.
_CLAIM_DUE = """
UPDATE acquirer_operations AS known
SET inquiries = known.inquiries + 1, last_inquired_at = $1,
    next_inquiry_at = now() + least($2::interval * power(2, least(known.inquiries + 1, 16)), $3::interval)
FROM (
    SELECT merchant_id, payment_id, kind, reference FROM acquirer_operations
    WHERE outcome = 'unknown' AND next_inquiry_at <= now()
    ORDER BY next_inquiry_at LIMIT $4 FOR UPDATE SKIP LOCKED
) AS due
WHERE (known.merchant_id, known.payment_id, known.kind, known.reference)
    = (due.merchant_id, due.payment_id, due.kind, due.reference)
RETURNING known.*
"""

_CLAIM_REPEAT = """
UPDATE acquirer_operations AS known SET told_at = now()
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS given (merchant_id, payment_id, kind, reference)
WHERE (known.merchant_id, known.payment_id, known.kind, known.reference)
    = (given.merchant_id, given.payment_id, given.kind, given.reference)
    AND outcome <> 'unknown' AND told_at < now() - $5::interval
RETURNING known.*
"""

_UNKNOWN = "SELECT count(*) AS count, min(asked_at) AS oldest FROM acquirer_operations WHERE outcome = 'unknown'"
_OF_PAYMENT = "SELECT * FROM acquirer_operations WHERE merchant_id = $1 AND payment_id = $2 ORDER BY asked_at"


@dataclass(frozen=True, slots=True)
class Known:
    """An operation that has a row. `answered_at` is None while the outcome is unknown."""

    operation: Operation
    outcome: Outcome
    answer: Answer | None
    asked_at: datetime
    attempts: int
    inquiries: int
    gave_up_at: datetime | None
    answered_at: datetime | None
    last_inquired_at: datetime | None
    result_message_id: str | None


class OperationRepository:
    def __init__(self, database: Database, first_inquiry_pause: timedelta, longest_inquiry_pause: timedelta) -> None:
        self._database = database
        self._first_inquiry_pause = first_inquiry_pause
        self._longest_inquiry_pause = longest_inquiry_pause

    async def find_known(self, operations: Sequence[Operation]) -> list[Known]:
        """Those of `operations` that were asked for before and recorded."""
        return [_as_known(row) for row in await self._database.fetch(_FIND_KNOWN, *_keys(operations))]

    async def record(self, batch: Sequence[Asked]) -> None:
        """Record what the acquirer said, or did not say, with the result events, in one statement.

        No operation may be in `batch` twice: a statement cannot touch a row twice.
        """
        columns = zip(*(_as_row(asked) for asked in batch), strict=True)
        await self._database.execute(RECORD, self._first_inquiry_pause, *columns)

    async def claim_due(self, now: datetime, limit: int) -> list[Known]:
        """Unknown outcomes that are due; each is given to one caller only. `now` is noted as the time of the inquiry."""
        rows = await self._database.fetch(
            _CLAIM_DUE, now, self._first_inquiry_pause, self._longest_inquiry_pause, limit
        )
        return [_as_known(row) for row in rows]

    async def repeat_results(self, operations: Sequence[Operation], older_than: timedelta) -> None:
        """Write the result events again, with their first message id and time, of what was last told that long ago."""
        async with self._database.transaction() as transaction:
            rows = await transaction.fetch(_CLAIM_REPEAT, *_keys(operations), older_than)
            await writing.add(transaction, [_repeated(_as_known(row)) for row in rows])

    async def unknown_outcomes(self) -> tuple[int, datetime | None]:
        """How many there are, and when the oldest was asked for."""
        row = await self._database.fetch_one(_UNKNOWN)
        assert row is not None
        return row["count"], row["oldest"]

    async def of_payment(self, merchant_id: UUID, payment_id: str) -> list[Known]:
        return [_as_known(row) for row in await self._database.fetch(_OF_PAYMENT, merchant_id, payment_id)]


def _keys(operations: Sequence[Operation]) -> tuple[list[object], ...]:
    return (
        [operation.merchant_id for operation in operations],
        [operation.payment_id for operation in operations],
        [operation.kind for operation in operations],
        [operation.reference for operation in operations],
    )


def _as_row(asked: Asked) -> tuple[Any, ...]:
    operation, answer = asked.operation, asked.answer
    event_type = payload = message_id = None
    if answer is not None:
        event_type, payload = result_event(operation, answer, asked.asked_at, asked.answered_at)
        message_id = new_event_id()
    return (
        operation.merchant_id,
        operation.payment_id,
        operation.kind,
        operation.reference,
        operation.amount,
        operation.currency,
        operation.method,
        asked.outcome,
        None if answer is None else answer.reason,
        None if answer is None else answer.description,
        None if answer is None else answer.acquirer_reference,
        asked.attempts,
        asked.asked_at,
        asked.answered_at if answer is None else None,
        None if answer is None else asked.answered_at,
        message_id,
        operation.request_id,
        operation.traceparent,
        event_type,
        payload,
    )


def _as_known(row: Row) -> Known:
    outcome = Outcome(row["outcome"])
    answer = None
    if outcome is not Outcome.UNKNOWN:
        answer = Answer(outcome is Outcome.SUCCEEDED, row["reason"], row["description"], row["acquirer_reference"])
    return Known(
        Operation(
            Kind(row["kind"]),
            row["merchant_id"],
            row["payment_id"],
            row["reference"],
            row["amount"],
            row["currency"],
            row["method"],
            request_id=row["request_id"],
            traceparent=row["traceparent"],
        ),
        outcome,
        answer,
        row["asked_at"],
        row["attempts"],
        row["inquiries"],
        row["gave_up_at"],
        row["answered_at"],
        row["last_inquired_at"],
        row["result_message_id"],
    )


def _repeated(known: Known) -> writing.OutgoingMessage:
    assert known.answer is not None
    assert known.answered_at is not None
    assert known.result_message_id is not None
    event_type, payload = result_event(known.operation, known.answer, known.asked_at, known.answered_at)
    return writing.OutgoingMessage(
        event_type,
        known.operation.merchant_id,
        payload,
        known.answered_at,
        EventId(known.result_message_id),
        known.operation.request_id,
        known.operation.traceparent,
    )
