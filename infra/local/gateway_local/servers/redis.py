"""A private Redis: a cache that survives a restart, bounded in memory."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from gateway_local import probes
from gateway_local.credentials import Credentials, write_private
from gateway_local.layout import Layout
from gateway_local.ports import LOOPBACK
from gateway_local.problems import Problem
from gateway_local.processes import ProcessSpec

# noeviction: an idempotency key must not vanish because a cache grew; a full Redis says so instead.
CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
dir {data}
daemonize no
databases 64
maxmemory 512mb
maxmemory-policy noeviction
appendonly yes
appendfsync everysec
save ""
"""


@dataclass(frozen=True)
class Redis:
    layout: Layout
    port: int
    credentials: Credentials

    @property
    def data(self) -> Path:
        return self.layout.run / "redis"

    @property
    def configuration(self) -> Path:
        return self.layout.run / "redis.conf"

    def prepare(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        text = CONFIGURATION.format(
            host=LOOPBACK, port=self.port, password=self.credentials.redis, data=f'"{self.data}"'
        )
        write_private(self.configuration, text)

    def spec(self) -> ProcessSpec:
        program = shutil.which("redis-server")
        if program is None:
            raise Problem("Redis is not installed.")
        return ProcessSpec(
            name="redis",
            role="cache",
            kind="server",
            argv=(program, str(self.configuration)),
            environ={"PATH": os.environ.get("PATH", "")},
            port=self.port,
            probe=probes.redis(self.port),
            cwd=self.layout.run,
            stop_rank=3,
        )

    def url(self, database: int = 0) -> str:
        return f"redis://:{self.credentials.redis}@{LOOPBACK}:{self.port}/{database}"
