"""`python -m processor worker|web|all|migrate|seed`: one process does everything, so the three roles are one."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from gateway_common.clock import SystemClock
from gateway_common.database import Database
from gateway_common.database.migrate import migrate
from gateway_common.web.application import serve
from processor.acquirers.simulator import tables as bank_tables
from processor.bootstrap import SERVICE, build_app, keep_house
from processor.settings import Settings
from processor.tables import metadata

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


async def migrate_both(settings: Settings) -> None:
    """This service's schema and the simulated bank's, each with its own role and version table."""
    url = settings.database_url.get_secret_value()
    await migrate(url, MIGRATIONS, metadata)
    await migrate(settings.bank_database_url.get_secret_value(), MIGRATIONS / "bank", bank_tables.metadata)
    database = await Database.connect(url, max_size=1)
    await keep_house(database, SystemClock())
    await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m processor", description=__doc__)
    parser.add_argument("command", choices=["worker", "web", "all", "migrate", "seed"])
    command = parser.parse_args().command
    settings = Settings()
    if command == "migrate":
        asyncio.run(migrate_both(settings))
    elif command != "seed":
        serve(build_app(settings), settings, SERVICE)


if __name__ == "__main__":
    main()
