"""`repository.RECORD` keeps the table of domain/states.py: every (state, news) pair, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from gateway_common.database import Database
from gateway_common.ids import new_payment_id
from gateway_local.sandbox import Sandbox
from processor.domain.operations import Answer, Asked, Kind, Operation, Outcome
from processor.domain.states import TRANSITIONS, is_told
from processor.repository import OperationRepository

from .conftest import MERCHANT

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PAUSE = timedelta(seconds=5)
BEFORE: list[Outcome | None] = [None, *Outcome]


@pytest.fixture
async def database(sandbox: Sandbox) -> AsyncIterator[Database]:
    made = await Database.connect(sandbox.database_url("processor"), max_size=2)
    yield made
    await made.close()


@pytest.fixture
def repository(database: Database) -> OperationRepository:
    return OperationRepository(database, PAUSE, timedelta(minutes=5))


def learnt(operation: Operation, outcome: Outcome, at: datetime = NOW) -> Asked:
    answer = None
    if outcome is not Outcome.UNKNOWN:
        is_success = outcome is Outcome.SUCCEEDED
        answer = Answer(is_success, None if is_success else "card_declined", None if is_success else "No", "bank_1")
    return Asked(operation, at, at, 1, answer)


def new_charge() -> Operation:
    payment_id = new_payment_id()
    return Operation(Kind.CHARGE, MERCHANT, payment_id, payment_id, 1000, "INR", "card")


@pytest.mark.parametrize(("before", "news"), list(product(BEFORE, Outcome)))
async def test_every_pair(
    database: Database, repository: OperationRepository, before: Outcome | None, news: Outcome
) -> None:
    operation = new_charge()
    if before is not None:
        await repository.record([learnt(operation, before)])
    told_before = await _told(database, operation)
    await repository.record([learnt(operation, news)])

    (known,) = await repository.find_known([operation])
    assert known.outcome is TRANSITIONS[before, news]
    assert (await _told(database, operation) > told_before) is is_told(before, news)


async def _told(database: Database, operation: Operation) -> int:
    count: int = await database.fetch_value(
        "SELECT count(*) FROM outbox WHERE payload::json->>'payment_id' = $1", operation.payment_id
    )
    return count


async def test_inquiries_are_claimed_once_and_pauses_grow(database: Database, repository: OperationRepository) -> None:
    await database.execute("DELETE FROM acquirer_operations WHERE outcome = 'unknown'")
    operation = new_charge()
    await repository.record([learnt(operation, Outcome.UNKNOWN)])
    pauses = []
    for inquiry in range(1, 9):
        pauses.append(await database.fetch_value(_PAUSE, operation.reference))
        assert await repository.claim_due(NOW, 10) == []
        await database.execute(_MAKE_DUE, operation.reference)
        assert [one.inquiries for one in await repository.claim_due(NOW, 10)] == [inquiry]
    assert [round(pause) for pause in pauses] == [5, 10, 20, 40, 80, 160, 300, 300]
    await repository.record([learnt(operation, Outcome.DECLINED)])
    assert await repository.claim_due(NOW, 10) == []


_PAUSE = """
SELECT extract(epoch FROM next_inquiry_at - now())::float FROM acquirer_operations WHERE reference = $1
"""
_MAKE_DUE = "UPDATE acquirer_operations SET next_inquiry_at = now() WHERE reference = $1"
