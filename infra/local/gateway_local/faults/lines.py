"""Leads every connection between a service and a server through a line that can be cut."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlsplit, urlunsplit

from gateway_local import operations
from gateway_local.faults.proxy import Line
from gateway_local.processes import SERVICES, Service
from gateway_local.stack import Stack
from gateway_local.state import Wishes

SERVERS = ("postgres", "redis", "rabbitmq")
CLOCK_FILE = "GATEWAY_CLOCK_OFFSET_FILE"

_ADDRESSES = {
    "DATABASE_URL": "postgres",
    "BANK_DATABASE_URL": "postgres",
    "REDIS_URL": "redis",
    "BROKER_URL": "rabbitmq",
}


class Lines:
    """One `Line` per service process and server, and a file per process that makes its clock jump."""

    def __init__(self, stack: Stack, targets: Mapping[str, Callable[[], int]] | None = None) -> None:
        """`targets` tells where a server is now, for servers that move; the stack's own without."""
        self._stack = stack
        ports = {name: int(server["port"]) for name, server in stack.status()["servers"].items()}
        self._targets = {name: partial(int, ports[name]) for name in SERVERS} | dict(targets or {})
        self._lines: dict[tuple[str, str], Line] = {}
        self._clocks = stack.installation.layout.run / "clocks"

    def between(self, service: str, server: str) -> Line:
        return self._lines[service, server]

    def to(self, server: str) -> list[Line]:
        return [line for (_, other), line in self._lines.items() if other == server]

    def pairs(self) -> list[tuple[str, str]]:
        """(service, server) in a fixed order, so that a seed always means the same."""
        return sorted(self._lines)

    def set_clock(self, service: str, offset_s: float) -> None:
        (self._clocks / service).write_text(str(offset_s))

    async def lay(self) -> None:
        """Starts the lines and every service again with addresses that lead through them."""
        self._clocks.mkdir(exist_ok=True)
        settings: dict[str, dict[str, str]] = {}
        for service in SERVICES:
            settings[service.name] = await self._lay_for(service)
        await asyncio.to_thread(self._wish, settings)

    async def remove(self) -> None:
        """Every service back to direct connections."""
        await asyncio.to_thread(self._wish, {})
        await self.close()

    async def close(self) -> None:
        """Every line ends, and with it what goes through it."""
        for line in self._lines.values():
            await line.stop()

    async def _lay_for(self, service: Service) -> dict[str, str]:
        self.set_clock(service.name, 0)
        settings = {CLOCK_FILE: str(self._clocks / service.name)}
        direct = self._stack.installation.service_settings(service, {})
        for variable, server in _ADDRESSES.items():
            if variable not in direct:
                continue
            line = self._lines.get((service.name, server))
            if line is None:
                line = self._lines[service.name, server] = Line(self._targets[server])
                await line.start()
            settings[variable] = _with_port(direct[variable], line.port)
        return settings

    def _wish(self, settings: dict[str, dict[str, str]]) -> None:
        layout = self._stack.installation.layout
        before = {process["name"]: process["pid"] for process in self._stack.status()["processes"]}

        def change(wishes: Wishes) -> None:
            wishes.settings = settings

        operations.wish(layout, change)
        for service in SERVICES:
            self._stack.wait_healthy(service.name, not_pid=before[service.name])


def _with_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{host}:{port}"))
