"""Run the service: `python -m webhooks web|worker|all|migrate|seed`."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from gateway_common.clock import SystemClock
from gateway_common.database import Database
from gateway_common.database.migrate import migrate
from gateway_common.web.application import serve
from webhooks.bootstrap import build_app, make_sealer
from webhooks.jobs.housekeeping import make_partitions
from webhooks.seed import seed
from webhooks.settings import Settings
from webhooks.tables import metadata

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


async def _migrate(settings: Settings) -> None:
    url = settings.database_url.get_secret_value()
    await migrate(url, MIGRATIONS, metadata)
    database = await Database.connect(url, max_size=1)
    try:
        await make_partitions(database, SystemClock(), settings.retention_days)
    finally:
        await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="webhooks", description="Endpoints, events, deliveries and their attempts.")
    parser.add_argument("role", choices=["web", "worker", "all", "migrate", "seed"])
    role = parser.parse_args().role
    settings = Settings()
    if role == "migrate":
        asyncio.run(_migrate(settings))
    elif role == "seed":
        asyncio.run(seed(settings.database_url.get_secret_value(), make_sealer(settings)))
    else:
        serve(build_app(settings, role), settings, "webhooks")


if __name__ == "__main__":
    main()
