"""A pool of asyncpg connections that speaks our errors: a lost server becomes `DatabaseUnavailableError` within two seconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self

import asyncpg
from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql import asyncpg as sqlalchemy_asyncpg
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_random_exponential

from gateway_common.database.lending import Connection, Lending
from gateway_common.errors import DatabaseUnavailableError

_DIALECT = sqlalchemy_asyncpg.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

Row = asyncpg.Record

CONNECT_TIMEOUT_SECONDS = 1.5
"""A web request must be answered within 2 s when PostgreSQL is gone (API.md)."""

_UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # What asyncpg raises when a connection is lost between two steps of its protocol.
    asyncpg.InternalClientError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError,
    asyncpg.exceptions.PostgresIOError,
    asyncpg.exceptions.LockNotAvailableError,
    asyncpg.exceptions.IdleInTransactionSessionTimeoutError,
    asyncpg.exceptions.ReadOnlySQLTransactionError,
)


class _Session(asyncpg.Connection):
    """A connection that goes back to the pool without a round trip.

    asyncpg resets settings, cursors and session locks with a statement of its own, which was as many round trips again
    as all of ours. No code of ours leaves such state behind: settings and locks are a transaction's (`SET LOCAL`,
    `pg_advisory_xact_lock`). Open transactions are still rolled back, and listeners removed.
    """

    def get_reset_query(self) -> str:
        return ""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _UNREACHABLE as error:
        raise DatabaseUnavailableError from error


def compile_statement(statement: Executable) -> tuple[str, list[Any]]:
    """The SQL text with `$1` parameters, and their values in order, of a SQLAlchemy Core statement."""
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]
    values = compiled.params
    return str(compiled), [values[name] for name in compiled.positiontup or ()]


class Database:
    """One pool. Every method raises `DatabaseUnavailableError` when PostgreSQL cannot be reached or does not answer.

    One statement outside `transaction()` runs in autocommit: one round trip.
    """

    def __init__(self, lending: Lending) -> None:
        self._lending = lending

    @classmethod
    async def connect(
        cls, url: str, *, max_size: int = 8, command_timeout_seconds: float = 5.0, start_timeout_seconds: float = 60.0
    ) -> Self:
        """Open the pool; waits with growing, random pauses for a server that is still starting."""

        @retry(
            stop=stop_after_delay(start_timeout_seconds),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            retry=retry_if_exception_type(DatabaseUnavailableError),
            reraise=True,
        )
        async def open_pool() -> asyncpg.Pool:
            with _translated():
                return await asyncpg.create_pool(
                    url,
                    min_size=1,
                    max_size=max_size,
                    timeout=CONNECT_TIMEOUT_SECONDS,
                    command_timeout=command_timeout_seconds,
                    max_inactive_connection_lifetime=300,
                    connection_class=_Session,
                    server_settings={"jit": "off"},
                )

        return cls(Lending(await open_pool(), max_size))

    async def fetch(self, sql: str, *arguments: Any) -> list[Row]:
        found: list[Row] = await self._ask("fetch", sql, arguments)
        return found

    async def fetch_one(self, sql: str, *arguments: Any) -> Row | None:
        found: Row | None = await self._ask("fetchrow", sql, arguments)
        return found

    async def fetch_value(self, sql: str, *arguments: Any) -> Any:
        return await self._ask("fetchval", sql, arguments)

    async def execute(self, sql: str, *arguments: Any) -> str:
        """Returns PostgreSQL's command tag, such as `UPDATE 3`."""
        tag: str = await self._ask("execute", sql, arguments)
        return tag

    async def _ask(self, method: str, sql: str, arguments: Sequence[Any]) -> Any:
        """As `connection` does, without the price of two context managers for each statement."""
        was_answered = False
        try:
            connection = await self._lending.take()
            try:
                answer = await getattr(connection, method)(sql, *arguments)
                was_answered = True
                return answer
            finally:
                await self._lending.give_back(connection, was_answered=was_answered)
        except _UNREACHABLE as error:
            raise DatabaseUnavailableError from error

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        async with self.connection() as connection:
            await connection.executemany(sql, rows)

    async def select(self, statement: Executable) -> list[Row]:
        """Run a query composed with SQLAlchemy Core (dynamic filters)."""
        sql, values = compile_statement(statement)
        return await self.fetch(sql, *values)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One connection of the pool, for several statements that need not be one transaction."""
        was_answered = False
        with _translated():
            connection = await self._lending.take()
            try:
                yield connection
                was_answered = True
            finally:
                await self._lending.give_back(connection, was_answered=was_answered)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A visible block: committed when it ends well, rolled back when it raises. No network call but SQL belongs inside."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def is_reachable(self) -> bool:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                return bool(await self.fetch_value("SELECT true"))
        except (DatabaseUnavailableError, TimeoutError):
            return False

    async def close(self) -> None:
        try:
            async with asyncio.timeout(5):
                await self._lending.close()
        except TimeoutError:
            self._lending.terminate()
