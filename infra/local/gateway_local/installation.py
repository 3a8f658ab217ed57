"""One copy of the whole gateway: its ports, credentials, servers and the settings of its services."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from gateway_local import leftovers, probes
from gateway_local.credentials import Credentials, load_or_create
from gateway_local.layout import Layout
from gateway_local.ports import LOOPBACK, assign_ports
from gateway_local.processes import SERVICES, ProcessSpec, Service
from gateway_local.servers.edge import Edge
from gateway_local.servers.postgres import Postgres
from gateway_local.servers.rabbitmq import RabbitMQ
from gateway_local.servers.redis import Redis

# What a developer's machine needs and production must not have; the caller's environment overrides each.
LOCAL_DEFAULTS: Mapping[str, str] = {
    "GATEWAY_ENV": "development",
    "TEST_MODE": "true",
    "WEBHOOK_ALLOW_PRIVATE_TARGETS": "true",
    "LOG_LEVEL": "INFO",
    "LOG_FORMAT": "json",
}


@dataclass(frozen=True)
class Installation:
    layout: Layout
    ports: Mapping[str, int]
    credentials: Credentials

    @classmethod
    def open(cls, environ: Mapping[str, str], ports: Mapping[str, int] | None = None) -> Installation:
        """The copy that the environment names; `ports` overrides where a running one already listens."""
        layout = Layout.from_environment(environ)
        layout.create()
        return cls(layout, ports or assign_ports(environ), load_or_create(layout.credentials))

    @property
    def postgres(self) -> Postgres:
        return Postgres(self.layout, self.ports["POSTGRES_PORT"], self.credentials)

    @property
    def redis(self) -> Redis:
        return Redis(self.layout, self.ports["REDIS_PORT"], self.credentials)

    @property
    def rabbitmq(self) -> RabbitMQ:
        return RabbitMQ(
            self.layout,
            self.ports["RABBITMQ_PORT"],
            self.ports["RABBITMQ_MANAGEMENT_PORT"],
            self.ports["RABBITMQ_DISTRIBUTION_PORT"],
            self.ports["RABBITMQ_EPMD_PORT"],
            self.credentials,
        )

    @property
    def edge(self) -> Edge:
        return Edge(self.layout, self.ports["GATEWAY_PORT"])

    def server_specs(self) -> list[ProcessSpec]:
        """epmd first: a node that does not find it starts one of its own, which nobody would stop. Then the others."""
        return [self.rabbitmq.epmd_spec(), self.postgres.spec(), self.redis.spec(), self.rabbitmq.spec()]

    def urls(self) -> dict[str, str]:
        api, dashboard = f"http://localhost:{self.ports['GATEWAY_PORT']}", self.ports["DASHBOARD_PORT"]
        checkout = self.ports["CHECKOUT_PORT"]
        return {
            "origin": api,
            "api": f"{api}/api/v1",
            "docs": f"{api}/docs",
            "health": f"{api}/health",
            "dashboard": f"http://localhost:{dashboard}",
            "checkout": f"http://localhost:{checkout}",
            "receiver": f"http://localhost:{self.ports['RECEIVER_PORT']}",
            "broker_management": self.rabbitmq.management_url,
        }

    def service_settings(self, service: Service, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment of one service: the caller's, local defaults, and what only this copy knows."""
        settings = dict(LOCAL_DEFAULTS) | {name: value for name, value in environ.items() if name not in _NOT_PASSED}
        internal = {
            f"{name}_URL": f"http://{LOOPBACK}:{self.ports[f'{name}_PORT']}"
            for name in ("PAYMENTS_API", "PROCESSOR", "REFUNDS", "WEBHOOKS", "RECEIVER")
        }
        urls = self.urls()
        settings |= internal | {
            "HOST": LOOPBACK,
            "PORT": str(self.ports[service.port_variable]),
            "PUBLIC_API_URL": urls["api"],
            "CHECKOUT_PUBLIC_URL": urls["checkout"],
            "DASHBOARD_PUBLIC_URL": urls["dashboard"],
            "PYTHONUNBUFFERED": "1",
            leftovers.MARK: str(self.layout.run),
        }
        if service.uses_redis:
            settings["REDIS_URL"] = self.redis.url()
            settings["INTERNAL_TOKEN_SECRET"] = self.credentials.internal_token_secret
        if service.database_role:
            settings["DATABASE_URL"] = self.postgres.url(service.database_role)
        if service.broker_user:
            settings["BROKER_URL"] = self.rabbitmq.url(service.broker_user)
        if service.package == "processor":
            settings["BANK_DATABASE_URL"] = self.postgres.url("bank")
        if service.package in ("payments_api", "processor"):
            settings["CARD_DATA_KEYS"] = self.credentials.card_data_keys
        return settings

    def service_spec(self, service: Service, environ: Mapping[str, str], copy: int, port: int) -> ProcessSpec:
        """Copy 1 has the service's own name and port, further ones a number and the port given."""
        settings = self.service_settings(service, environ)
        return ProcessSpec(
            name=service.name if copy == 1 else f"{service.name}-{copy}",
            role=service.role,
            kind="service",
            argv=command(service.package, ("--port", str(port)) if service.role == "receiver" else (service.role,)),
            environ=settings | {"PORT": str(port)},
            port=port,
            probe=probes.ready_service(port),
            cwd=self.layout.root,
        )


# Settings of the caller's own that would mislead a service; the run folder is told by the mark.
_NOT_PASSED = {
    "BANK_DATABASE_URL", "BROKER_URL", "CARD_DATA_KEYS", "DATABASE_URL", "HOST", "INTERNAL_TOKEN_SECRET", "PORT",
    "PYTHONPATH", "REDIS_URL",
}  # fmt: skip


def command(package: str, arguments: tuple[str, ...]) -> tuple[str, ...]:
    return (sys.executable, "-m", package, *arguments)


def service_named(name: str) -> Service:
    return next(service for service in SERVICES if service.name == name)


def current() -> Installation:
    """The copy named by this process's own environment."""
    return Installation.open(os.environ)
