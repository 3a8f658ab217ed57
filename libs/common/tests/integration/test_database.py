"""The pool: one round trip per statement, and nothing of one user left for the next."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import pytest

from gateway_common.database import Database
from gateway_common.errors import DatabaseUnavailableError
from gateway_local.sandbox import Sandbox


async def test_a_statement_is_the_only_thing_that_its_connection_is_asked(sandbox: Sandbox) -> None:
    database = await Database.connect(sandbox.database_url("payments"), max_size=1)
    pid = await database.fetch_value("SELECT pg_backend_pid() AS asked")
    watcher = await asyncpg.connect(sandbox.database_url("postgres"))
    last = await watcher.fetchval("SELECT query FROM pg_stat_activity WHERE pid = $1", pid)
    assert last == "SELECT pg_backend_pid() AS asked"
    await watcher.close()
    await database.close()


async def test_a_transaction_that_was_left_open_is_rolled_back(sandbox: Sandbox) -> None:
    database = await Database.connect(sandbox.database_url("payments"), max_size=1)
    async with database.connection() as connection:
        await connection.execute("CREATE TABLE left_open (n int)")
    async with database.connection() as connection:
        await connection.execute("BEGIN")
        await connection.execute("SET LOCAL statement_timeout = '1ms'")
        await connection.execute("INSERT INTO left_open VALUES (1)")
    assert await database.fetch_value("SELECT count(*) FROM left_open") == 0
    assert await database.fetch_value("SHOW statement_timeout") != "1ms"
    await database.execute("DROP TABLE left_open")
    await database.close()


async def test_a_setting_of_a_transaction_ends_with_it(sandbox: Sandbox) -> None:
    database = await Database.connect(sandbox.database_url("payments"), max_size=1)
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as transaction:
            await transaction.execute("SET LOCAL lock_timeout = '7ms'")
            raise ZeroDivisionError
    assert await database.fetch_value("SHOW lock_timeout") != "7ms"
    await database.close()


async def test_a_burst_waits_its_turn_while_the_server_answers(sandbox: Sandbox) -> None:
    database = await Database.connect(sandbox.database_url("payments"), max_size=1)
    await asyncio.gather(*(database.execute("SELECT pg_sleep(0.1)") for _ in range(30)))
    await database.close()


async def test_nobody_waits_long_for_a_server_that_answers_nobody(sandbox: Sandbox) -> None:
    database = await Database.connect(sandbox.database_url("payments"), max_size=1)
    stuck = asyncio.create_task(database.execute("SELECT pg_sleep(4)"))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    answers = await asyncio.gather(*(database.fetch_value("SELECT 1") for _ in range(10)), return_exceptions=True)
    assert all(isinstance(answer, DatabaseUnavailableError) for answer in answers)
    assert time.monotonic() - began < 1.8
    await stuck
    assert await database.fetch_value("SELECT 1") == 1
    await database.close()


async def test_who_gives_up_waiting_leaves_the_connection_to_others(sandbox: Sandbox) -> None:
    database = await Database.connect(sandbox.database_url("payments"), max_size=2)
    for moment in range(40):
        waiting = [asyncio.create_task(database.fetch_value("SELECT pg_sleep(0.001)")) for _ in range(12)]
        await asyncio.sleep(moment / 4000)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert await asyncio.gather(database.fetch_value("SELECT 1"), database.fetch_value("SELECT 1")) == [1, 1]
    async with database.connection(), database.connection():
        pass
    await database.close()


async def test_connections_that_the_server_has_ended_are_replaced(sandbox: Sandbox) -> None:
    database = await Database.connect(sandbox.database_url("payments"), max_size=3)
    for _ in range(5):
        pids = await asyncio.gather(
            *(database.fetch_value("SELECT pg_backend_pid() FROM pg_sleep(0.05)") for _ in "123")
        )
        assert len(set(pids)) == 3
        killer = await asyncpg.connect(sandbox.database_url("postgres"))
        await killer.execute("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid", pids)
        await killer.close()
        await asyncio.sleep(0.05)
        assert await asyncio.gather(*(database.fetch_value("SELECT 1") for _ in range(12))) == [1] * 12
    await database.close()


async def test_a_connection_whose_statement_was_cut_is_not_lent_as_it_is(sandbox: Sandbox) -> None:
    database = await Database.connect(sandbox.database_url("payments"), max_size=1, command_timeout_seconds=0.3)
    with pytest.raises(DatabaseUnavailableError):
        await database.execute("SELECT pg_sleep(1)")
    cut = asyncio.create_task(database.execute("SELECT pg_sleep(0.2)"))
    await asyncio.sleep(0.05)
    cut.cancel()
    assert await asyncio.gather(database.fetch_value("SELECT 1"), database.fetch_value("SELECT 2")) == [1, 2]
    with pytest.raises(asyncpg.UniqueViolationError):
        async with database.connection() as connection:
            await connection.execute("BEGIN")
            raise asyncpg.UniqueViolationError
    async with database.connection() as connection:
        assert not connection.is_in_transaction()
    await database.close()


async def test_those_who_wait_are_served_in_turn(sandbox: Sandbox) -> None:
    database = await Database.connect(sandbox.database_url("payments"), max_size=2)
    served: list[int] = []

    async def ask(number: int) -> None:
        await database.execute("SELECT pg_sleep(0.005)")
        served.append(number)

    await asyncio.gather(*(ask(number) for number in range(40)))
    assert all(abs(place - number) <= 2 for place, number in enumerate(served))
    await database.close()


async def test_who_waits_opens_a_connection_when_others_are_lost(sandbox: Sandbox) -> None:
    database = await Database.connect(sandbox.database_url("payments"), max_size=2)
    async with database.connection() as first, database.connection() as second:
        waiting = [asyncio.create_task(database.fetch_value("SELECT 1")) for _ in range(10)]
        await asyncio.sleep(0.05)
        began = time.monotonic()
        for connection in (first, second):
            connection.terminate()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert answers == [1] * 10
    assert time.monotonic() - began < 1
    await database.close()
