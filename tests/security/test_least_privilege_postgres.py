"""A service's PostgreSQL role can use its own schema and nothing else.

Every protection is checked twice: that it holds, and that the check sees it when it is taken away.
"""

from __future__ import annotations

import asyncio
from itertools import permutations

import asyncpg
import pytest

from gateway_local.credentials import DATABASE_ROLES
from gateway_local.fixtures import MakeSandbox
from gateway_local.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    """Every role has a table `secrets` in its schema."""
    made = make_sandbox(broker=False)
    asyncio.run(_create_tables(made))
    return made


async def _create_tables(sandbox: Sandbox) -> None:
    for role in DATABASE_ROLES:
        connection = await asyncpg.connect(sandbox.database_url(role))
        await connection.execute("CREATE TABLE secrets (value text)")
        await connection.close()


async def can(sandbox: Sandbox, role: str, statement: str) -> bool:
    connection = await asyncpg.connect(sandbox.database_url(role))
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return False
    finally:
        await connection.close()
    return True


def reaches(schema: str) -> dict[str, str]:
    return {
        "read": f"SELECT * FROM {schema}.secrets",
        "write": f"INSERT INTO {schema}.secrets VALUES ('x')",
        "create": f"CREATE TABLE {schema}.intruder (x int)",
    }


FORBIDDEN = {
    "a table in public": "CREATE TABLE public.intruder (x int)",
    "a role": "CREATE ROLE intruder",
    "a database": "CREATE DATABASE intruder",
    "a program on the server": "COPY (SELECT 1) TO PROGRAM 'true'",
    "a file of the server": "SELECT pg_read_file('postgresql.conf')",
    "becoming the superuser": "SET ROLE postgres",
    "the passwords": "SELECT rolpassword FROM pg_authid",
}


@pytest.mark.parametrize("role", DATABASE_ROLES)
async def test_a_role_can_use_its_own_schema(sandbox: Sandbox, role: str) -> None:
    assert await can(sandbox, role, "SELECT * FROM secrets")


@pytest.mark.parametrize(("role", "other"), list(permutations(DATABASE_ROLES, 2)))
async def test_a_role_cannot_reach_the_schema_of_another(sandbox: Sandbox, role: str, other: str) -> None:
    allowed = [name for name, statement in reaches(other).items() if await can(sandbox, role, statement)]
    assert allowed == []


@pytest.mark.parametrize("what", FORBIDDEN)
@pytest.mark.parametrize("role", DATABASE_ROLES)
async def test_a_role_has_no_power_over_the_server(sandbox: Sandbox, role: str, what: str) -> None:
    assert not await can(sandbox, role, FORBIDDEN[what])


async def test_another_database_does_not_let_them_in(make_sandbox: MakeSandbox, sandbox: Sandbox) -> None:
    name = "not_for_services"
    superuser = await asyncpg.connect(sandbox.database_url("postgres"))
    await superuser.execute(f"CREATE DATABASE {name}")
    try:
        await superuser.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(sandbox.installation.postgres.url("payments", name))
    finally:
        await superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await superuser.close()


async def test_the_checks_see_a_protection_that_was_taken_away(sandbox: Sandbox) -> None:
    superuser = await asyncpg.connect(sandbox.database_url("postgres"))
    try:
        await superuser.execute(
            "GRANT ALL ON SCHEMA refunds TO webhooks; GRANT ALL ON ALL TABLES IN SCHEMA refunds TO webhooks"
        )
        assert [await can(sandbox, "webhooks", statement) for statement in reaches("refunds").values()] == [True] * 3
        await superuser.execute("GRANT CREATE ON SCHEMA public TO dashboard")
        assert await can(sandbox, "dashboard", FORBIDDEN["a table in public"])
    finally:
        await superuser.execute(
            "DROP TABLE IF EXISTS refunds.intruder, public.intruder; REVOKE ALL ON SCHEMA public FROM dashboard;"
            " REVOKE ALL ON SCHEMA refunds FROM webhooks; REVOKE ALL ON ALL TABLES IN SCHEMA refunds FROM webhooks"
        )
        await superuser.close()
