"""A PostgreSQL primary and a synchronous standby: a commit is answered when both have it on disk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

from gateway_local.cluster.process import ServerProcess, wait_until
from gateway_local.installation import Installation
from gateway_local.ports import LOOPBACK, is_free
from gateway_local.problems import Problem
from gateway_local.servers.postgres import SETTINGS, Postgres

START_PATIENCE_S = 60.0
DETECTION_S = 2.0
"""How long a watcher takes to believe that a server is dead; a failover manager's usual setting is a few seconds."""


class PostgresPair:
    """Begins as a copy of the running copy's own database. `port()` is the primary's."""

    def __init__(self, installation: Installation, first_port: int) -> None:
        self._source = installation.postgres
        self._run = installation.layout.run
        self._folder = self._run / "cluster"
        ports = [port for port in range(first_port, first_port + 100) if is_free(port)][:2]
        self._servers = [replace(self._source, port=port) for port in ports]
        self._processes = [self._process(number) for number in range(2)]
        self._primary = 0

    @property
    def primary(self) -> Postgres:
        return self._servers[self._primary]

    def port(self) -> int:
        return self.primary.port

    def start(self) -> None:
        self._copy(self._source, 0)
        self._write_settings(0)
        self._start(0)
        self.add_standby()

    def lose_primary(self) -> None:
        """The primary dies; once that is noticed, the standby takes over."""
        self._processes[self._primary].kill()
        time.sleep(DETECTION_S)
        standby = 1 - self._primary
        self._servers[standby].query("postgres", "SELECT pg_promote(true, 60)")
        self._primary = standby

    def lose_standby(self) -> None:
        """The standby dies; commits wait for it until that is noticed and the primary told to go on alone."""
        self._processes[1 - self._primary].kill()
        time.sleep(DETECTION_S)
        self._wait_for_standby(is_wanted=False)

    def add_standby(self) -> None:
        """A fresh copy of the primary takes the other place; from then on commits wait for it again."""
        standby = 1 - self._primary
        self._copy(self.primary, standby)
        self._write_settings(standby)
        (self._data(standby) / "standby.signal").touch()
        self._own(self._data(standby) / "standby.signal")
        self._start(standby)
        # Only once it follows: commits would hang on a standby that is still catching up.
        self._until_replication("state", "streaming")
        self._wait_for_standby(is_wanted=True)
        self._until_replication("sync_state", "sync")

    def _until_replication(self, column: str, wanted: str) -> None:
        question = f"SELECT {column} FROM pg_stat_replication"
        wait_until(
            lambda: self.primary.query("postgres", question) == wanted, START_PATIENCE_S, f"the standby to be {wanted}"
        )

    def _data(self, number: int) -> Path:
        return self._folder / f"postgres-{number + 1}"

    def _process(self, number: int) -> ServerProcess:
        log = self._run / "logs" / f"postgres-cluster-{number + 1}.log"
        environ = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}
        argv = (str(self._source.bin / "postgres"), "-D", str(self._data(number)))
        return ServerProcess(argv, environ, Path("/"), log, self._run, self._source.user)

    def _start(self, number: int) -> None:
        self._processes[number].start()
        wait_until(lambda: self._answers(number), START_PATIENCE_S, f"PostgreSQL {number + 1}")

    def _answers(self, number: int) -> bool:
        try:
            return self._servers[number].query("postgres", "SELECT 1") == "1"
        except Problem:
            return False

    def _copy(self, source: Postgres, number: int) -> None:
        target = self._data(number)
        if self._processes[number].is_running:
            self._processes[number].kill(signal.SIGINT)
        shutil.rmtree(target, ignore_errors=True)
        self._folder.mkdir(exist_ok=True)
        self._folder.chmod(0o755)
        target.mkdir(mode=0o700)
        self._own(target)
        done = subprocess.run(
            [source.bin / "pg_basebackup", "-h", LOOPBACK, "-p", str(source.port), "-U", "postgres", "-D", target,
             "-X", "stream", "-c", "fast"],
            env={"PATH": os.environ.get("PATH", ""), "PGPASSWORD": source.credentials.database["postgres"]},
            capture_output=True, text=True, check=False, cwd="/",
            user=source.user, group=source.user, extra_groups=[] if source.user else None,
        )  # fmt: skip
        if done.returncode:
            raise Problem(f"The standby could not be copied: {done.stderr.strip()}")

    def _write_settings(self, number: int) -> None:
        other = self._servers[1 - number]
        password = self._source.credentials.database["postgres"]
        settings = dict(SETTINGS) | {
            "port": str(self._servers[number].port),
            "primary_conninfo": f"host={LOOPBACK} port={other.port} user=postgres password={password}",
        }
        path = self._data(number) / "postgresql.auto.conf"
        path.write_text("".join(f"{name} = '{value}'\n" for name, value in settings.items()))
        path.chmod(0o600)
        self._own(path)

    def _wait_for_standby(self, *, is_wanted: bool) -> None:
        self.primary.query("postgres", f"ALTER SYSTEM SET synchronous_standby_names = '{'*' if is_wanted else ''}'")
        self.primary.query("postgres", "SELECT pg_reload_conf()")

    def _own(self, path: Path) -> None:
        if self._source.user:
            shutil.chown(path, self._source.user, self._source.user)
