"""Which port each process listens on, and what to say when one is taken."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

import psutil

from gateway_local.problems import Problem

LOOPBACK = "127.0.0.1"

# Variable that moves it -> default. The servers' own defaults are avoided, so that a PostgreSQL or
# RabbitMQ that the machine already runs is not in the way.
DEFAULTS: Mapping[str, int] = {
    "GATEWAY_PORT": 8000,
    "PAYMENTS_API_PORT": 8001,
    "REFUNDS_PORT": 8002,
    "WEBHOOKS_PORT": 8003,
    "PROCESSOR_PORT": 8004,
    "PAYMENTS_API_WORKER_PORT": 8011,
    "REFUNDS_WORKER_PORT": 8012,
    "WEBHOOKS_WORKER_PORT": 8013,
    "RECEIVER_PORT": 8090,
    "DASHBOARD_PORT": 3000,
    "CHECKOUT_PORT": 3001,
    "POSTGRES_PORT": 25432,
    "REDIS_PORT": 25379,
    "RABBITMQ_PORT": 25572,
    "RABBITMQ_MANAGEMENT_PORT": 25573,
    "RABBITMQ_DISTRIBUTION_PORT": 25574,
    "RABBITMQ_EPMD_PORT": 25575,
}
# Extra copies of a service take the first free ports from here; below the ephemeral range, so that an
# outgoing connection cannot sit on the port while its copy restarts.
FIRST_COPY_PORT = 18000
# Private copies, for tests and faults, look for free ports from here on: away from a developer's own gateway.
FIRST_PRIVATE_OFFSET = 1000
LINUX_EPHEMERAL_PORT = 32768
# The ports above 1023 that browsers refuse to open ("bad ports" of the Fetch standard, https://fetch.spec.whatwg.org/
# #port-blocking): a page served there cannot be seen.
BROWSERS_REFUSE = frozenset(
    (1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080)
)
EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def assign_ports(environ: Mapping[str, str]) -> dict[str, int]:
    """The port of every variable: its own value if set, else its default plus GATEWAY_PORT_OFFSET."""
    offset = _number(environ, "GATEWAY_PORT_OFFSET", 0, lowest=-1000)
    return {name: _number(environ, name, default + offset, lowest=1) for name, default in DEFAULTS.items()}


def _number(environ: Mapping[str, str], name: str, default: int, lowest: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        value = lowest - 1
    if not lowest <= value <= 65535:
        raise Problem(f"{name}={text!r} is not a port number.")
    return value


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_copy_port(taken: set[int], environ: Mapping[str, str]) -> int:
    start = FIRST_COPY_PORT + _number(environ, "GATEWAY_PORT_OFFSET", 0, lowest=-1000)
    for port in range(start, start + 1000):
        if port not in taken and is_free(port):
            return port
    raise Problem("No free port is left for another copy of a service.")


def free_offset() -> int:
    """An offset at which every default port is free and browsers open it: private copies run next to others."""
    offsets = range(FIRST_PRIVATE_OFFSET, _first_ephemeral_port() - max(DEFAULTS.values()), 100)
    # The process id spreads copies that look for their ports at the same moment.
    first = os.getpid()
    for step in range(len(offsets)):
        offset = offsets[(first + step) % len(offsets)]
        ports = assign_ports({"GATEWAY_PORT_OFFSET": str(offset)}).values()
        if BROWSERS_REFUSE.isdisjoint(ports) and all(is_free(port) for port in ports):
            return offset
    raise Problem(f"No free range of ports was found (tried the offsets {offsets[0]} to {offsets[-1]}).")


def _first_ephemeral_port() -> int:
    """Ports from here on are given to outgoing connections. A probe of a server that is not there yet may be given the
    very port it asks for, is then connected to itself, and keeps the server from it."""
    try:
        first = int(EPHEMERAL_RANGE.read_text().split()[0])
    except (OSError, ValueError):
        first = LINUX_EPHEMERAL_PORT
    # Where nearly all ports are ephemeral there is nothing to keep away from.
    return first if first > max(DEFAULTS.values()) + 2 * FIRST_PRIVATE_OFFSET else LINUX_EPHEMERAL_PORT


def require_free(ports: Mapping[str, int]) -> None:
    """Raises Problem naming each port that is taken, by whom, or refused by browsers, and the variable that moves it."""
    doubles = [name for name in ports if list(ports.values()).count(ports[name]) > 1]
    if doubles:
        raise Problem("Two processes would share a port: " + ", ".join(f"{n}={ports[n]}" for n in doubles))
    for name, port in ports.items():
        if port in BROWSERS_REFUSE:
            raise Problem(f"Browsers refuse to open port {port}; {name} moves it, for example {name}={port + 100}.")
    taken = {name: port for name, port in ports.items() if not is_free(port)}
    if not taken:
        return
    holders = _holders(set(taken.values()))
    lines = [
        f"Port {port} is taken{holders.get(port, '')}; {name} moves it, for example {name}={port + 100}."
        for name, port in taken.items()
    ]
    if len(lines) > 1:
        lines.append("GATEWAY_PORT_OFFSET=100 moves all ports at once.")
    raise Problem("\n".join(lines))


def _holders(ports: set[int]) -> dict[int, str]:
    names: dict[int, str] = {}
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return names
    for connection in connections:
        # An unconnected socket has an empty tuple for an address.
        port = connection.laddr.port if connection.laddr else None
        if connection.status != psutil.CONN_LISTEN or port not in ports or not connection.pid:
            continue
        try:
            name = psutil.Process(connection.pid).name()
        except psutil.Error:
            continue
        names[port] = f" by {name} (process {connection.pid})"
    return names
