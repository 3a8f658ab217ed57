"""Whatever a lost or failing server makes asyncpg raise is told as `DatabaseUnavailableError`: 503, not 500."""

from __future__ import annotations

import asyncpg
import pytest

from gateway_common.database import Database
from gateway_common.database.lending import Lending
from gateway_common.errors import DatabaseUnavailableError


class _Connection:
    def __init__(self, error: Exception) -> None:
        self._error = error

    async def fetch(self, *_arguments: object) -> None:
        raise self._error


class _Pool:
    def __init__(self, error: Exception) -> None:
        self._error = error

    async def acquire(self) -> _Connection:
        return _Connection(self._error)

    async def release(self, _connection: _Connection) -> None:
        return


LOST = [
    ConnectionResetError(),
    TimeoutError(),
    asyncpg.ConnectionDoesNotExistError(),
    asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
    asyncpg.exceptions.AdminShutdownError(),
    asyncpg.exceptions.CannotConnectNowError(),
    asyncpg.exceptions.TooManyConnectionsError(),
    asyncpg.exceptions.DiskFullError(),
    asyncpg.exceptions.PostgresIOError(),
    asyncpg.exceptions.LockNotAvailableError(),
    asyncpg.exceptions.ReadOnlySQLTransactionError(),
]


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
async def test_a_server_that_is_lost_or_failing_is_unavailable(error: Exception) -> None:
    with pytest.raises(DatabaseUnavailableError):
        await Database(Lending(_Pool(error), 1)).fetch("SELECT 1")


async def test_a_broken_rule_is_not_mistaken_for_that() -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        await Database(Lending(_Pool(asyncpg.UniqueViolationError()), 1)).fetch("SELECT 1")
