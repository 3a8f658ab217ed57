"""`python -m dashboard web|all|migrate|seed`, and `add-user <merchant id> <email>` for operators."""

from __future__ import annotations

import asyncio
import secrets
import sys
from uuid import UUID

from dashboard.accounts.passwords import Passwords
from dashboard.accounts.users import Users
from dashboard.bootstrap import MIGRATIONS, SERVICE, build_app
from dashboard.seed import seed
from dashboard.settings import Settings
from dashboard.tables import metadata
from gateway_common.database import Database, migrate
from gateway_common.web.application import serve

USAGE = "usage: python -m dashboard web|all|migrate|seed|add-user <merchant id> <email>"


def main(arguments: list[str]) -> int:
    match arguments:
        case ["web" | "all"]:
            settings = Settings()
            serve(build_app(settings), settings, SERVICE)
        case ["migrate"]:
            migrate.run(Settings().database_url.get_secret_value(), MIGRATIONS, metadata)
        case ["seed"]:
            asyncio.run(_seed(Settings()))
        case ["add-user", merchant_id, email]:
            return asyncio.run(_add_user(Settings(), UUID(merchant_id), email))
        case _:
            sys.stderr.write(USAGE + "\n")
            return 2
    return 0


async def _seed(settings: Settings) -> None:
    if not settings.test_mode:
        return
    database = await Database.connect(settings.database_url.get_secret_value(), max_size=1)
    await seed(database)
    await database.close()


async def _add_user(settings: Settings, merchant_id: UUID, email: str) -> int:
    """A merchant that an operator made has no user yet; the password is printed this once, to be changed."""
    password = secrets.token_urlsafe(12)
    database = await Database.connect(settings.database_url.get_secret_value(), max_size=1)
    added = await Users(database).add(merchant_id, email, await Passwords().hash(password))
    await database.close()
    if added is None:
        sys.stderr.write(f"{email} has an account already\n")
        return 1
    sys.stdout.write(f"{email} may sign in with the password {password}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
