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
