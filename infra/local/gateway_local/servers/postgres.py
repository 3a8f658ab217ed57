"""A private PostgreSQL. It refuses to run as root, so root hands it to the distribution's own user."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway_local import probes
from gateway_local.credentials import DATABASE_ROLES, Credentials, write_private
from gateway_local.layout import Layout
from gateway_local.ports import LOOPBACK
from gateway_local.problems import Problem
from gateway_local.processes import ProcessSpec

DATABASE = "gateway"
SERVER_USER = "postgres"
# Where the data go when the run folder lies below a folder that the server's user may not enter, such as /root.
FALLBACK = Path("/var/lib/payment-gateway")

# Durable as shipped (fsync, synchronous_commit, full_page_writes stay on); sized for a small machine that
# also runs everything else.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "wal_buffers": "16MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "autovacuum_naptime": "15s",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "1000",
    "log_lock_waits": "on",
    "jit": "off",
}


def binaries() -> Path | None:
    """The folder with `initdb` and `postgres`; Debian keeps it out of PATH, one per version. None if missing."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    found = shutil.which("initdb")
    return Path(found).parent if found and shutil.which("postgres") else None


def _version(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0


def _reachable(folder: Path, user: str) -> bool:
    """Whether `user` may enter every existing parent of `folder`."""
    entry = pwd.getpwnam(user)
    groups = set(os.getgrouplist(user, entry.pw_gid))
    for parent in folder.parents:
        if not parent.exists():
            continue
        found = parent.stat()
        if found.st_uid == entry.pw_uid:
            needed = stat.S_IXUSR
        elif found.st_gid in groups:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not found.st_mode & needed:
            return False
    return True


@dataclass(frozen=True)
class Postgres:
    layout: Layout
    port: int
    credentials: Credentials

    @property
    def user(self) -> str | None:
        return SERVER_USER if os.geteuid() == 0 else None

    @property
    def data(self) -> Path:
        wanted = self.layout.run / "postgres"
        if self.user is None or _reachable(wanted, self.user):
            return wanted
        return FALLBACK / self.layout.key / "postgres"

    @property
    def bin(self) -> Path:
        folder = binaries()
        if folder is None:
            raise Problem("PostgreSQL is not installed.")
        return folder

    def prepare(self) -> None:
        """Makes the data folder if there is none, and writes the settings of this start."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        settings = dict(SETTINGS) | {"port": str(self.port)}
        library = subprocess.run(
            [self.bin / "pg_config", "--pkglibdir"], capture_output=True, text=True, check=False
        ).stdout.strip()
        if library and (Path(library) / "pg_stat_statements.so").exists():
            settings["shared_preload_libraries"] = "pg_stat_statements"
        text = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        path = self.data / "postgresql.auto.conf"
        path.write_text("# Written at every start by the native runner.\n" + text)
        path.chmod(0o600)
        if self.user:
            shutil.chown(path, self.user, self.user)

    def _initialise(self) -> None:
        if self.data.exists():
            shutil.rmtree(self.data)  # a first start that was cut short: initdb writes PG_VERSION early
        self.data.mkdir(parents=True, mode=0o700)
        if self.user:
            shutil.chown(self.data, self.user, self.user)
        password = self.data.parent / ".postgres-password"
        write_private(password, self.credentials.database["postgres"])
        if self.user:
            shutil.chown(password, self.user, self.user)
        try:
            done = subprocess.run(
                [
                    self.bin / "initdb", "--pgdata", self.data, "--username", "postgres", "--pwfile", password,
                    "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--data-checksums",
                ],
                capture_output=True, text=True, check=False, cwd="/",
                user=self.user, group=self.user, extra_groups=[] if self.user else None,
            )  # fmt: skip
        finally:
            password.unlink()
        if done.returncode:
            shutil.rmtree(self.data)
            raise Problem(f"PostgreSQL could not make its data folder {self.data}:\n{done.stderr.strip()}")

    def spec(self) -> ProcessSpec:
        return ProcessSpec(
            name="postgres",
            role="database",
            kind="server",
            argv=(str(self.bin / "postgres"), "-D", str(self.data)),
            environ={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
            port=self.port,
            probe=probes.postgres(self.port),
            cwd=Path("/"),
            user=self.user,
            stop_signal=signal.SIGINT,  # "fast": end the sessions, write a checkpoint
            stop_rank=3,
        )

    def provision(self, database: str = DATABASE) -> None:
        """Makes the database with its roles, schemas and fences; repeatable."""
        exists = self.query("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{database}'")
        if not exists:
            self.query("postgres", f'CREATE DATABASE "{database}"')
        passwords = {f"{role.upper()}_DB_PASSWORD": self.credentials.database[role] for role in DATABASE_ROLES}
        self._psql(database, ["-f", str(self.layout.root / "infra/postgres/init.sql")], passwords)

    def query(self, database: str, statement: str) -> str:
        """Runs one statement as the superuser and returns its output, unaligned. For the runner and tests."""
        return self._psql(database, ["-c", statement], {}).strip()

    def _psql(self, database: str, arguments: Sequence[str], environ: Mapping[str, str]) -> str:
        done = subprocess.run(
            [self.bin / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={
                "PATH": os.environ.get("PATH", ""),
                "PGHOST": LOOPBACK,
                "PGPORT": str(self.port),
                "PGUSER": "postgres",
                "PGDATABASE": database,
                "PGPASSWORD": self.credentials.database["postgres"],
                "PGCONNECT_TIMEOUT": "10",
                **environ,
            },
        )
        if done.returncode:
            raise Problem(f"PostgreSQL refused: {done.stderr.strip()}")
        return done.stdout

    def url(self, role: str, database: str = DATABASE) -> str:
        return f"postgresql://{role}:{self.credentials.database[role]}@{LOOPBACK}:{self.port}/{database}"
