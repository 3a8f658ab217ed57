"""A sandbox whose `payments` schema holds only the shared library's own tables."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import create_async_engine

from gateway_common.database import Database
from gateway_common.idempotency.fence import define_idempotency_keys
from gateway_common.outbox.tables import define_inbox, define_outbox, define_outbox_repeat
from gateway_local.fixtures import MakeSandbox
from gateway_local.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    made = make_sandbox()
    asyncio.run(_create_tables(made.database_url("payments")))
    return made


async def _create_tables(url: str) -> None:
    metadata = MetaData()
    for define in (define_outbox, define_outbox_repeat, define_inbox, define_idempotency_keys):
        define(metadata)
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        for table in ("outbox", "inbox"):
            await connection.exec_driver_sql(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
    await engine.dispose()


@pytest.fixture
async def database(sandbox: Sandbox) -> AsyncIterator[Database]:
    opened = await Database.connect(sandbox.database_url("payments"))
    await opened.execute("TRUNCATE outbox, outbox_repeat, inbox, idempotency_keys")
    yield opened
    await opened.close()
