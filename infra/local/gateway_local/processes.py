"""What the supervisor needs to know of a process, and the services of docs/processes.md."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Probe = Callable[[], Awaitable[bool]]


@dataclass(frozen=True)
class ProcessSpec:
    """One process: how to start it, how to ask whether it is well, how to stop it."""

    name: str
    role: str
    kind: Literal["service", "server"]
    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)
    port: int
    probe: Probe
    cwd: Path
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 27.0
    """A little over the 25 s after which a service ends its own drain."""
    stop_rank: int = 1
    """Lower ranks are stopped first, so that nothing loses what it depends on while it drains."""


@dataclass(frozen=True)
class Service:
    name: str
    package: str
    role: str
    port_variable: str
    database_role: str | None = None
    broker_user: str | None = None
    uses_redis: bool = True
    routed_as: str | None = None
    """The variable of the edge template that lists this service's addresses."""


SERVICES: tuple[Service, ...] = (
    Service("payments-api-web", "payments_api", "web", "PAYMENTS_API_PORT", "payments", "payments",
            routed_as="PAYMENTS_API_SERVERS"),
    Service("payments-api-worker", "payments_api", "worker", "PAYMENTS_API_WORKER_PORT", "payments", "payments"),
    Service("processor", "processor", "worker", "PROCESSOR_PORT", "processor", "processor"),
    Service("refunds-web", "refunds", "web", "REFUNDS_PORT", "refunds", "refunds", routed_as="REFUNDS_SERVERS"),
    Service("refunds-worker", "refunds", "worker", "REFUNDS_WORKER_PORT", "refunds", "refunds"),
    Service("webhooks-web", "webhooks", "web", "WEBHOOKS_PORT", "webhooks", "webhooks",
            routed_as="WEBHOOKS_SERVERS"),
    Service("webhooks-worker", "webhooks", "worker", "WEBHOOKS_WORKER_PORT", "webhooks", "webhooks"),
    Service("checkout-cdn", "checkout_cdn", "web", "CHECKOUT_PORT", uses_redis=False),
    Service("dashboard", "dashboard", "web", "DASHBOARD_PORT", "dashboard", "dashboard"),
    Service("receiver", "gateway_common.testing.receiver", "receiver", "RECEIVER_PORT", uses_redis=False),
)  # fmt: skip

SCHEMA_OWNERS: Mapping[str, str] = {
    "payments_api": "payments-api-web",
    "processor": "processor",
    "refunds": "refunds-web",
    "webhooks": "webhooks-web",
    "dashboard": "dashboard",
}
"""Package that has `migrate` and `seed` -> a process whose settings those commands run with."""
