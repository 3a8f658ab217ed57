"""Run a service's Alembic migrations with its own role.

The role's `search_path` is its schema, so the version table lands there too. An advisory lock lets several
copies start at once; lock and statement timeouts keep a migration from stopping the service behind a long lock.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import NullPool
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_random_exponential

# One number for all: each service has its own schema, but advisory locks are the database's, so they take turns.
_LOCK_KEY = 7_305_001


def _upgrade(connection: Connection, migrations: Path, metadata: MetaData) -> None:
    # Imported only here: every process imports this module, and Alembic takes 11 MiB of each.
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    # The lock belongs to the session, not to a transaction: each migration commits on its own.
    # All services migrate at the same start: a turn may take longer than a lock on a table ever should.
    connection.execute(text("SET lock_timeout = 0"))
    connection.execute(text("SET statement_timeout = '120s'"))
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK_KEY})
    connection.execute(text("SET lock_timeout = '5s'"))
    connection.commit()
    config = Config()
    config.set_main_option("script_location", str(migrations))
    script = ScriptDirectory(str(migrations))
    try:
        with EnvironmentContext(
            config, script, fn=lambda revision, _context: script._upgrade_revs("head", revision), destination_rev="head"
        ) as environment:
            environment.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
            with environment.begin_transaction():
                environment.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK_KEY})
        connection.commit()


@retry(
    stop=stop_after_delay(60),
    wait=wait_random_exponential(multiplier=0.2, max=3),
    retry=retry_if_exception_type((OSError, InterfaceError, OperationalError)),
    reraise=True,
)
async def migrate(database_url: str, migrations: Path, metadata: MetaData) -> None:
    """Bring the schema to the newest version. `migrations` holds `versions/`.

    Raises:
        DBAPIError: a migration failed; its own transaction was rolled back, earlier ones stay.
    """
    from sqlalchemy.ext.asyncio import create_async_engine  # another 6 MiB

    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade, migrations, metadata)
    finally:
        await engine.dispose()


def run(database_url: str, migrations: Path, metadata: MetaData) -> None:
    """`migrate` for a command line."""
    asyncio.run(migrate(database_url, migrations, metadata))


__all__ = ["DBAPIError", "migrate", "run"]
