"""Fresh databases, virtual hosts and Redis databases on running private servers, so that tests share nothing."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from gateway_local.credentials import DATABASE_ROLES
from gateway_local.installation import Installation, service_named
from gateway_local.migrations import migrate_only

# 0 belongs to the running gateway, if there is one.
REDIS_DATABASES = range(1, 64)


@dataclass(frozen=True)
class Sandbox:
    """Addresses of one test module's own corner of the servers."""

    installation: Installation
    database: str
    virtual_host: str
    redis_database: int

    def database_url(self, role: str) -> str:
        """`role` is one of payments, processor, bank, refunds, webhooks, dashboard, or postgres (superuser)."""
        return self.installation.postgres.url(role, self.database)

    def broker_url(self, user: str) -> str:
        """`user` is one of payments, processor, refunds, webhooks, dashboard, or operator (may do everything)."""
        return self.installation.rabbitmq.url(user, self.virtual_host)

    @property
    def redis_url(self) -> str:
        return self.installation.redis.url(self.redis_database)

    def environment(self, process: str, **overrides: str) -> dict[str, str]:
        """The settings with which the runner would start that process (docs/processes.md), in this corner."""
        service = service_named(process)
        settings = self.installation.service_settings(service, {"LOG_LEVEL": "WARNING"})
        settings |= {"TEST_MODE": "true", "REDIS_URL": self.redis_url, "PORT": "0"}
        if service.database_role:
            settings["DATABASE_URL"] = self.database_url(service.database_role)
        if service.broker_user:
            settings["BROKER_URL"] = self.broker_url(service.broker_user)
        if service.package == "processor":
            settings["BANK_DATABASE_URL"] = self.database_url("bank")
        return settings | overrides


class Sandboxes:
    """Makes sandboxes and takes them away. Migrated databases are kept as templates: a copy takes 50 ms."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._templates: dict[frozenset[str], str] = {}
        self._databases: list[str] = []
        self._hosts: list[str] = []
        self._redis = iter(REDIS_DATABASES)

    def make(self, *packages: str, broker: bool = True) -> Sandbox:
        """`packages` are those whose schemas are migrated, for example `payments_api`; all others stay empty."""
        name = f"test_{secrets.token_hex(4)}"
        self._copy(self._template(frozenset(packages)), name)
        redis_database = next(self._redis, None)
        if redis_database is None:
            self._redis = iter(REDIS_DATABASES)
            redis_database = next(self._redis)
        self._flush(redis_database)
        if broker:
            self._add_virtual_host(name)
        return Sandbox(self._installation, name, name, redis_database)

    def remove_all(self) -> None:
        postgres = self._installation.postgres
        for name in [*self._databases, *self._templates.values()]:
            postgres.query("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        for name in self._hosts:
            self._manage("DELETE", f"/api/vhosts/{quote(name, safe='')}")

    def _template(self, packages: frozenset[str]) -> str:
        if packages not in self._templates:
            name = f"template_{secrets.token_hex(4)}"
            self._installation.postgres.provision(name)
            asyncio.run(migrate_only(self._installation, sorted(packages), name))
            self._templates[packages] = name
        return self._templates[packages]

    def _copy(self, template: str, name: str) -> None:
        postgres = self._installation.postgres
        postgres.query("postgres", f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        self._databases.append(name)
        # Privileges on the database itself are not copied with it.
        postgres.query("postgres", f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
        postgres.query("postgres", f'GRANT CONNECT ON DATABASE "{name}" TO {", ".join(DATABASE_ROLES)}')

    def _flush(self, database: int) -> None:
        import redis  # the driver is for tests only; the runner itself does without

        with contextlib.closing(redis.Redis.from_url(self._installation.redis.url(database))) as client:
            client.flushdb()

    def _add_virtual_host(self, name: str) -> None:
        self._manage("PUT", f"/api/vhosts/{name}", {"default_queue_type": "quorum"})
        self._hosts.append(name)
        document = self._installation.rabbitmq.definitions()
        for permission in document["permissions"]:
            user = quote(permission["user"], safe="")
            rights = {key: permission[key] for key in ("configure", "write", "read")}
            self._manage("PUT", f"/api/permissions/{name}/{user}", rights)
        parts = ("exchanges", "queues", "bindings", "policies")
        own = {
            part: [{key: value for key, value in entry.items() if key != "vhost"} for entry in document.get(part, [])]
            for part in parts
        }
        self._manage("POST", f"/api/definitions/{name}", own)

    def _manage(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> None:
        rabbitmq = self._installation.rabbitmq
        pair = f"operator:{self._installation.credentials.broker['operator']}".encode()
        request = urllib.request.Request(  # noqa: S310  # our own management address
            rabbitmq.management_url + path,
            method=method,
            data=json.dumps(body or {}).encode(),
            headers={
                "Authorization": "Basic " + base64.b64encode(pair).decode(),
                "Content-Type": "application/json",
            },
        )
        try:
            urllib.request.urlopen(request, timeout=30).close()  # noqa: S310
        except urllib.error.HTTPError as error:
            if method == "DELETE" and error.code == 404:  # a fault test wiped the broker's data since
                return
            detail = error.read().decode(errors="replace")
            raise RuntimeError(f"{method} {path} answered {error.code}: {detail}") from error
