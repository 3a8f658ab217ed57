"""A broken rule is seen by its metric, and nothing can be changed by a check."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from prometheus_client import REGISTRY

from gateway_common.clock import FixedClock
from gateway_common.database import Database
from gateway_common.errors import DatabaseUnavailableError
from gateway_common.invariants import Invariant, InvariantChecks, outbox_age

NOW = datetime(2030, 1, 1, tzinfo=UTC)
_MESSAGE = """INSERT INTO outbox (message_id, event_type, merchant_id, payload, created_at)
VALUES ('evt_1', 'x', gen_random_uuid(), '{}', $1)"""


def violations(name: str) -> float | None:
    return REGISTRY.get_sample_value("gateway_invariant_violations", {"invariant": name})


@pytest.mark.parametrize(("age", "expected"), [(timedelta(minutes=4), 0), (timedelta(minutes=6), 1)])
async def test_a_message_that_waits_too_long_is_counted(database: Database, age: timedelta, expected: int) -> None:
    await database.execute(_MESSAGE, NOW - age)
    await InvariantChecks(database, [outbox_age()], FixedClock(NOW)).run()
    assert violations("outbox_message_waits_long") == expected
    checked = {"invariant": "outbox_message_waits_long"}
    assert REGISTRY.get_sample_value("gateway_invariant_checked_timestamp_seconds", checked) == NOW.timestamp()


async def test_a_check_can_only_read(database: Database) -> None:
    harmful = Invariant("harmful", "DELETE FROM outbox RETURNING message_id AS id")
    with pytest.raises(DatabaseUnavailableError) as raised:
        await InvariantChecks(database, [harmful], FixedClock(NOW)).run()
    assert isinstance(raised.value.__cause__, asyncpg.ReadOnlySQLTransactionError)
