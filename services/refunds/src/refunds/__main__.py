"""`python -m refunds web|worker|all|migrate|seed`"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from gateway_common.clock import SystemClock
from gateway_common.database import Database
from gateway_common.database.migrate import migrate
from gateway_common.web.application import serve
from refunds.bootstrap import SERVICE, build_app, keep_house
from refunds.settings import Settings
from refunds.tables import metadata

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


async def migrate_schema(settings: Settings) -> None:
    url = settings.database_url.get_secret_value()
    await migrate(url, MIGRATIONS, metadata)
    database = await Database.connect(url, max_size=1)
    await keep_house(database, SystemClock())
    await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m refunds", description=__doc__)
    parser.add_argument("command", choices=["web", "worker", "all", "migrate", "seed"])
    command = parser.parse_args().command
    settings = Settings()
    if command == "migrate":
        asyncio.run(migrate_schema(settings))
    elif command != "seed":
        serve(build_app(settings, command), settings, SERVICE)


if __name__ == "__main__":
    main()
