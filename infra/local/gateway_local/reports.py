"""The status of a running copy: as JSON for programs, as a table for people."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from gateway_local.credentials import BROKER_USERS, DATABASE_ROLES
from gateway_local.installation import Installation
from gateway_local.ports import LOOPBACK
from gateway_local.servers.postgres import DATABASE
from gateway_local.state import ProcessState, State


def is_healthy(state: State) -> bool:
    return state.phase == "ready" and all(process.healthy for process in state.processes)


def as_json(installation: Installation, state: State) -> dict[str, Any]:
    """The document of `./gateway status --json`; docs/operations.md describes it."""
    found = {process.name: process for process in state.processes}
    postgres, redis, rabbitmq = installation.postgres, installation.redis, installation.rabbitmq
    return {
        "run_dir": str(installation.layout.run),
        "supervisor_pid": state.supervisor_pid,
        "phase": state.phase,
        "healthy": is_healthy(state),
        "urls": installation.urls(),
        "processes": [_process(process) for process in state.processes],
        "servers": {
            "postgres": _server(found.get("postgres"), postgres.port) | {
                "data_dir": str(postgres.data), "database": DATABASE, "bin_dir": str(postgres.bin)
            },
            "redis": _server(found.get("redis"), redis.port) | {"data_dir": str(redis.data)},
            "rabbitmq": _server(found.get("rabbitmq"), rabbitmq.port) | {
                "data_dir": str(rabbitmq.data), "management_port": rabbitmq.management_port,
                "node": rabbitmq.node, "epmd_port": rabbitmq.epmd_port,
            },
            "edge": _server(found.get("edge"), installation.edge.port),
        },
        "addresses": {
            "database_url": {role: postgres.url(role) for role in ("postgres", *DATABASE_ROLES)},
            "broker_url": {user: rabbitmq.url(user) for user in ("operator", *BROKER_USERS)},
            "redis_url": redis.url(),
            "broker_management": {
                "url": rabbitmq.management_url,
                "user": "operator",
                "password": installation.credentials.broker["operator"],
            },
        },
    }  # fmt: skip


def _server(process: ProcessState | None, port: int) -> dict[str, Any]:
    return {
        "host": LOOPBACK,
        "port": port,
        "pid": process.pid if process else None,
        "healthy": bool(process and process.healthy),
        "log": process.log if process else None,
    }


def _process(process: ProcessState) -> dict[str, Any]:
    names = ("name", "role", "kind", "pid", "port", "healthy", "held", "restarts", "started_at", "log")
    return {name: getattr(process, name) for name in names}


def as_table(state: State) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("process", "state", "pid", "port", "restarts", "since"):
        table.add_column(title, justify="right" if title in ("pid", "port", "restarts") else "left")
    for process in state.processes:
        table.add_row(
            process.name, _health(process), str(process.pid or ""), str(process.port),
            str(process.restarts or ""), (process.started_at or "")[11:19],
        )  # fmt: skip
    return table


def _health(process: ProcessState) -> str:
    if process.held:
        return "[yellow]stopped on request[/]"
    if process.healthy:
        return "[green]healthy[/]"
    return "[yellow]not ready[/]" if process.pid else "[red]down[/]"
