"""A running copy whose services use the cluster instead of the copy's own PostgreSQL and RabbitMQ."""

from __future__ import annotations

from dataclasses import replace

from gateway_local.cluster.postgres import PostgresPair
from gateway_local.cluster.rabbitmq import RabbitCluster
from gateway_local.installation import Installation
from gateway_local.stack import Stack


class ClusterStack(Stack):
    """Everything that asks this stack for an address gets that of the primary, and of a node that is up."""

    def __init__(self, stack: Stack, first_port: int) -> None:
        object.__setattr__(self, "_own", stack.installation)
        object.__setattr__(self, "postgres", PostgresPair(stack.installation, first_port))
        object.__setattr__(self, "rabbitmq", RabbitCluster(stack.installation, first_port + 200))

    _own: Installation
    postgres: PostgresPair
    rabbitmq: RabbitCluster

    @property
    def installation(self) -> Installation:
        moved = {
            "POSTGRES_PORT": self.postgres.port(),
            "RABBITMQ_PORT": self.rabbitmq.port(),
            "RABBITMQ_MANAGEMENT_PORT": self.rabbitmq.management_port(),
        }
        return replace(self._own, ports={**self._own.ports, **moved})

    def start(self) -> None:
        self.rabbitmq.start()
        self.postgres.start()
