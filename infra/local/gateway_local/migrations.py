"""Brings every schema to its newest version and seeds it, all services at once."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway_local.installation import Installation, command, service_named
from gateway_local.problems import Problem
from gateway_local.processes import SCHEMA_OWNERS
from gateway_local.servers.postgres import DATABASE


async def migrate_and_seed(installation: Installation, environ: Mapping[str, str]) -> None:
    """Raises Problem with the output of whichever service failed."""
    packages = [package for package in SCHEMA_OWNERS if _has_commands(installation.layout.root, package)]
    await asyncio.gather(*(_one(installation, environ, package) for package in packages))


async def migrate_only(installation: Installation, packages: Sequence[str], database: str) -> None:
    """Migrates the schemas of `packages` in another database than the gateway's own, without seeding."""
    unknown = [package for package in packages if package not in SCHEMA_OWNERS]
    if unknown:
        raise Problem(f"{', '.join(unknown)} own no schema; these do: {', '.join(SCHEMA_OWNERS)}")
    await asyncio.gather(*(_one(installation, {}, package, ("migrate",), database) for package in packages))


async def _one(
    installation: Installation,
    environ: Mapping[str, str],
    package: str,
    steps: Sequence[str] = ("migrate", "seed"),
    database: str = DATABASE,
) -> None:
    service = service_named(SCHEMA_OWNERS[package])
    settings = installation.service_settings(service, environ or os.environ)
    if service.database_role:
        settings["DATABASE_URL"] = installation.postgres.url(service.database_role, database)
    if "BANK_DATABASE_URL" in settings:
        settings["BANK_DATABASE_URL"] = installation.postgres.url("bank", database)
    for step in steps:
        process = await asyncio.create_subprocess_exec(
            *command(package, (step,)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=installation.layout.root,
            env=settings,
        )
        output, _ = await process.communicate()
        if process.returncode:
            tail = output.decode(errors="replace").strip()[-2000:]
            raise Problem(f"`python -m {package} {step}` failed:\n{tail}")


def _has_commands(root: Path, package: str) -> bool:
    return any(root.glob(f"services/*/src/{package}/__main__.py"))


def fingerprint(installation: Installation) -> str:
    """Changes whenever code, migrations or the data folder do: while it stays, nothing needs to be migrated."""
    root, digest = installation.layout.root, hashlib.sha256()
    for pattern in ("services/*/src/**/*.py", "services/*/migrations/**/*", "libs/common/src/**/*.py"):
        for path in sorted(root.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                found = path.stat()
                digest.update(f"{path}:{found.st_size}:{found.st_mtime_ns}\n".encode())
    version = (installation.postgres.data / "PG_VERSION").stat()
    digest.update(f"{version.st_ino}:{version.st_mtime_ns}".encode())
    return digest.hexdigest()
