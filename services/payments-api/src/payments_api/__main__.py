"""`python -m payments_api web|worker|all|migrate|seed|merchant create`"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from gateway_common.clock import SystemClock
from gateway_common.database import Database, migrate
from gateway_common.logs import configure_logs
from gateway_common.web.application import serve
from payments_api import seed, tables
from payments_api.bootstrap import SERVICE, build_app
from payments_api.housekeeping import Housekeeping
from payments_api.settings import Settings
from payments_api.use_cases.register_merchant import register_merchant

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def main() -> int:
    arguments = _read_arguments()
    settings = Settings()
    if arguments.command in ("web", "worker", "all"):
        serve(build_app(settings, arguments.command), settings, SERVICE)
        return 0
    configure_logs(SERVICE, settings.log_level, settings.log_format)
    if arguments.command == "migrate":
        migrate.run(settings.database_url.get_secret_value(), MIGRATIONS, tables.metadata)
        return asyncio.run(_keep_house(settings))
    if arguments.command == "seed":
        return asyncio.run(_seed(settings))
    return asyncio.run(_create_merchant(settings, arguments.name, arguments.email, as_json=arguments.json))


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m payments_api", description="Orders, payments, merchants and keys.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("web", help="answer HTTP")
    commands.add_parser("worker", help="consume results, relay the outbox, sweep")
    commands.add_parser("all", help="both in one process, for small installs")
    commands.add_parser("migrate", help="bring the schema to its newest version")
    commands.add_parser("seed", help="add the test merchant and its order; repeatable")
    merchant = commands.add_parser("merchant", help="manage merchants")
    actions = merchant.add_subparsers(dest="action", required=True)
    create = actions.add_parser("create", help="add a merchant and show its pair of keys once")
    create.add_argument("--name", required=True)
    create.add_argument("--email", required=True)
    create.add_argument("--json", action="store_true")
    return parser.parse_args()


async def _keep_house(settings: Settings) -> int:
    database = await _connect(settings)
    try:
        await Housekeeping(database, SystemClock()).run_once()
    finally:
        await database.close()
    return 0


async def _seed(settings: Settings) -> int:
    if settings.gateway_env == "production":
        return 0
    database = await _connect(settings)
    try:
        await seed.seed(database, SystemClock().now())
    finally:
        await database.close()
    return 0


async def _create_merchant(settings: Settings, name: str, email: str, *, as_json: bool) -> int:
    if not name.strip() or "@" not in email or "\x00" in name + email:
        sys.stderr.write("A merchant needs a name and an email address.\n")
        return 2
    database = await _connect(settings)
    try:
        made = await register_merchant(database, SystemClock().now(), name.strip(), email, is_test=settings.test_mode)
    finally:
        await database.close()
    if made is None:
        sys.stderr.write(f"The email address {email} is taken.\n")
        return 1
    shown = made.as_shown_once()
    sys.stdout.write(json.dumps(shown) + "\n" if as_json else "".join(f"{k:22}{v}\n" for k, v in shown.items()))
    return 0


async def _connect(settings: Settings) -> Database:
    return await Database.connect(settings.database_url.get_secret_value(), max_size=1)


if __name__ == "__main__":
    sys.exit(main())
