"""A private RabbitMQ node with its own name, cookie, data and port mapper (epmd)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gateway_local import probes
from gateway_local.credentials import Credentials, write_private
from gateway_local.layout import Layout
from gateway_local.ports import LOOPBACK
from gateway_local.problems import Problem
from gateway_local.processes import ProcessSpec

# The distribution's wrapper in PATH insists on the system's own user and node; the script below it does not.
PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")

# Erlang's schedulers spin while idle by default, which on a small machine takes time from the services. One of them is plenty
# for what two cores can do beside it, and saves waking a second one for each message (2.1 -> 1.7 ms per payment at 100/s).
# The distribution port listens on loopback only.
ERLANG_ARGUMENTS = "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"


@dataclass(frozen=True)
class RabbitMQ:
    layout: Layout
    port: int
    management_port: int
    distribution_port: int
    epmd_port: int
    credentials: Credentials

    @property
    def home(self) -> Path:
        return self.layout.run / "rabbitmq"

    @property
    def data(self) -> Path:
        """What a fault test may delete: the node has users and queues back from its boot definitions."""
        return self.home / "mnesia"

    @property
    def node(self) -> str:
        return f"gateway-{self.layout.key}@localhost"

    def prepare(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.data.mkdir(exist_ok=True)
        cookie = self.home / ".erlang.cookie"
        if not cookie.exists():
            write_private(cookie, self.credentials.erlang_cookie)
            cookie.chmod(0o400)
        definitions = self.home / "definitions.json"
        write_private(definitions, json.dumps(self.definitions(), indent=1))
        shared = (self.layout.root / "infra/rabbitmq/rabbitmq.conf").read_text()
        own = (
            f"listeners.tcp.local = {LOOPBACK}:{self.port}\n"
            f"management.tcp.ip = {LOOPBACK}\n"
            f"management.tcp.port = {self.management_port}\n"
            f"load_definitions = {definitions}\n"
        )
        write_private(self.home / "rabbitmq.conf", shared + "\n" + own)
        (self.home / "enabled_plugins").write_text("[rabbitmq_management].\n")

    def definitions(self) -> dict[str, Any]:
        """Users, permissions, exchanges, queues and bindings, generated from the shared library's topology."""
        passwords = {f"RABBITMQ_{user.upper()}_PASSWORD": pw for user, pw in self.credentials.broker.items()}
        done = subprocess.run(
            [sys.executable, "-m", "gateway_common.broker.definitions"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **passwords},
        )
        if done.returncode:
            raise Problem(f"The broker's definitions could not be generated:\n{done.stderr.strip()}")
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def environment(self) -> Mapping[str, str]:
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            # Without a supervisor's socket this only means: become the node instead of waiting beside it,
            # so that the process we know is the node itself.
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_CONF_ENV_FILE": str(self.home / "no-such-file"),
            "RABBITMQ_CONFIG_FILE": str(self.home / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.home / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.home / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.data),
            "RABBITMQ_LOG_BASE": str(self.home / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(self.home / "node.pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG_ARGUMENTS,
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
        }

    def spec(self) -> ProcessSpec:
        if not PROGRAM.exists():
            raise Problem("RabbitMQ is not installed.")
        return ProcessSpec(
            name="rabbitmq",
            role="broker",
            kind="server",
            argv=(str(PROGRAM),),
            environ=self.environment(),
            port=self.port,
            probe=probes.rabbitmq(self.port),
            cwd=self.home,
            stop_rank=3,
        )

    def epmd_spec(self) -> ProcessSpec:
        """Started before the node, which would otherwise leave behind one that nobody stops."""
        program = shutil.which("epmd")
        if program is None:
            raise Problem("Erlang is not installed.")
        return ProcessSpec(
            name="epmd",
            role="port mapper",
            kind="server",
            argv=(program, "-port", str(self.epmd_port), "-address", LOOPBACK, "-relaxed_command_check"),
            environ={"PATH": os.environ.get("PATH", ""), "HOME": str(self.home)},
            port=self.epmd_port,
            probe=probes.listens(self.epmd_port),
            cwd=self.home,
            stop_rank=4,
        )

    def url(self, user: str, virtual_host: str = "/") -> str:
        host = "" if virtual_host == "/" else quote(virtual_host, safe="")
        return f"amqp://{user}:{self.credentials.broker[user]}@{LOOPBACK}:{self.port}/{host}"

    @property
    def management_url(self) -> str:
        return f"http://{LOOPBACK}:{self.management_port}"
