"""Three RabbitMQ nodes that form a cluster; every quorum queue has a copy on each."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway_local import probes
from gateway_local.cluster.process import ServerProcess, wait_until
from gateway_local.credentials import write_private
from gateway_local.installation import Installation
from gateway_local.layout import Layout
from gateway_local.ports import LOOPBACK, is_free
from gateway_local.servers.rabbitmq import RabbitMQ

NODES = 3
START_PATIENCE_S = 120.0
# A node that sees no majority stops serving, rather than go on alone with its own truth.
CLUSTER_SETTINGS = (
    "cluster_formation.peer_discovery_backend = classic_config\ncluster_partition_handling = pause_minority\n"
)


class RabbitCluster:
    """`port()` is a node that is up, the next one at each call, as a load balancer would choose."""

    def __init__(self, installation: Installation, first_port: int) -> None:
        self._run = installation.layout.run
        self._nodes = [_node(installation, number, first_port + 10 * number) for number in range(NODES)]
        self._definitions = installation.rabbitmq.definitions()
        self._password = installation.credentials.broker["operator"]
        self._processes: list[ServerProcess] = []
        self._up: set[int] = set()
        self._turn = 0

    @property
    def names(self) -> list[str]:
        return [f"rabbitmq-{number + 1}" for number in range(NODES)]

    def port(self) -> int:
        return self._any().port

    def management_port(self) -> int:
        return self._any().management_port

    def start(self) -> None:
        """All three, with the users and queues that a single node has from its boot definitions."""
        for node in self._nodes:
            self._prepare(node)
            log = self._run / "logs" / f"rabbitmq-cluster-{node.port}.log"
            spec = node.spec()
            self._processes.append(ServerProcess(spec.argv, spec.environ, spec.cwd, log, self._run))
        for number in range(NODES):
            self.bring_up(number)
        wait_until(
            lambda: self._running_nodes(("guest", "guest")) == NODES, START_PATIENCE_S, "three nodes in the cluster"
        )
        # Imported once all are there, so that each queue gets a copy on each node; a booting node would keep it alone.
        self._manage("POST", "/api/definitions", ("guest", "guest"), self._definitions)
        self._manage("DELETE", "/api/users/guest", ("operator", self._password))

    def bring_down(self, number: int, sign: signal.Signals) -> None:
        self._up.discard(number)
        self._processes[number].kill(sign)

    def bring_up(self, number: int) -> None:
        self._processes[number].start()
        probe = probes.rabbitmq(self._nodes[number].port)

        async def answers() -> bool:
            return await probe()

        wait_until(lambda: asyncio.run(answers()), START_PATIENCE_S, f"RabbitMQ node {number + 1}")
        self._up.add(number)

    def _any(self) -> RabbitMQ:
        up = sorted(self._up)
        self._turn += 1
        return self._nodes[up[self._turn % len(up)]]

    def _prepare(self, node: RabbitMQ) -> None:
        node.home.mkdir(parents=True, exist_ok=True)
        node.data.mkdir(exist_ok=True)
        cookie = node.home / ".erlang.cookie"
        write_private(cookie, node.credentials.erlang_cookie)
        cookie.chmod(0o400)
        shared = (node.layout.root / "infra/rabbitmq/rabbitmq.conf").read_text()
        own = (
            f"listeners.tcp.local = {LOOPBACK}:{node.port}\n"
            f"management.tcp.ip = {LOOPBACK}\nmanagement.tcp.port = {node.management_port}\n"
        )
        members = "".join(
            f"cluster_formation.classic_config.nodes.{number + 1} = {other.node}\n"
            for number, other in enumerate(self._nodes)
        )
        write_private(node.home / "rabbitmq.conf", shared + "\n" + own + CLUSTER_SETTINGS + members)
        (node.home / "enabled_plugins").write_text("[rabbitmq_management].\n")

    def _running_nodes(self, login: tuple[str, str]) -> int:
        try:
            found = self._manage("GET", "/api/nodes", login)
        except OSError:
            return 0
        return sum(1 for node in found if node.get("running"))

    def _manage(self, method: str, path: str, login: tuple[str, str], body: Mapping[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"http://{LOOPBACK}:{self.management_port()}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": "Basic " + base64.b64encode(":".join(login).encode()).decode(),
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            text = answer.read()
        return json.loads(text) if text else None


def _node(installation: Installation, number: int, port: int) -> RabbitMQ:
    while not all(is_free(port + part) for part in range(3)):
        port += 3
    folder: Path = installation.layout.run / "cluster" / f"rabbitmq-{number + 1}"
    return replace(
        installation.rabbitmq,
        layout=Layout(installation.layout.root, folder),
        port=port,
        management_port=port + 1,
        distribution_port=port + 2,
    )
