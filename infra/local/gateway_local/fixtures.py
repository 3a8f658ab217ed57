"""pytest fixtures for tests with real servers; docs/testing.md tells how to use them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from gateway_local import operations, packages, reports
from gateway_local.installation import Installation
from gateway_local.layout import Layout
from gateway_local.ports import free_offset
from gateway_local.sandbox import Sandbox, Sandboxes
from gateway_local.stack import Stack
from gateway_local.state import State, Wishes


class MakeSandbox(Protocol):
    def __call__(self, *packages: str, broker: bool = True) -> Sandbox: ...


@pytest.fixture(scope="session")
def servers() -> Iterator[Installation]:
    """PostgreSQL, Redis and RabbitMQ of this session's own; or those of GATEWAY_TEST_RUN_DIR, if that is set."""
    shared = os.environ.get("GATEWAY_TEST_RUN_DIR")
    if shared:
        environ = {**os.environ, "GATEWAY_RUN_DIR": shared}
        yield operations.open_running(Layout.from_environment(environ), environ)
        return
    packages.ensure(packages.SERVERS)
    run = Path(tempfile.mkdtemp(prefix="gateway-test-"))
    run.chmod(0o755)  # PostgreSQL's own user must be able to pass through
    environ = _environment(run)
    layout = Layout.from_environment(environ)
    try:
        layout.create()
        Wishes(services=False).save(layout.wishes)
        process = operations.spawn(layout, environ, tether=True)
        state = operations.wait_until_ready(layout, process, lambda _: None)
        yield Installation.open(environ, ports=state.ports)
        operations.stop(layout)
        process.wait(10)
        if process.stdin:
            process.stdin.close()
    finally:
        operations.stop(layout)
        shutil.rmtree(run, ignore_errors=True)


def _environment(run: Path) -> dict[str, str]:
    """The stack under test: quick bank, quick retries; nothing of the caller's own gateway."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "TEST_"))}
    own = {name: value for name, value in own.items() if not name.endswith("_PORT")}
    return own | {
        "GATEWAY_ROOT": os.environ.get("GATEWAY_ROOT", ""),
        "GATEWAY_RUN_DIR": str(run),
        "GATEWAY_PORT_OFFSET": str(free_offset()),
        "TEST_MODE": "true",
        "TEST_PROCESSING_DELAY": "200",
        "WEBHOOK_RETRY_INTERVALS_TEST": "true",
        "RATE_LIMITS_ENABLED": "false",
    }


@pytest.fixture(scope="session")
def make_sandbox(servers: Installation) -> Iterator[MakeSandbox]:
    """Call it with the packages whose schemas are to be there: `make_sandbox("payments_api")`."""
    sandboxes = Sandboxes(servers)
    yield sandboxes.make
    sandboxes.remove_all()


@pytest.fixture(scope="session")
def stack(servers: Installation) -> Stack:
    """The whole gateway running on `servers`: every service, the edge, the receiver."""
    layout = servers.layout
    operations.wish(layout, _want_services)
    state = operations.wait_for(layout, lambda s: _is_up(s) or _has_given_up(s), 150, "the whole gateway")
    if not _is_up(state):
        raise RuntimeError(state.message)
    return Stack(servers)


def _want_services(wishes: Wishes) -> None:
    wishes.services = True


def _has_given_up(state: State) -> bool:
    """A message in any other phase only tells what is being done."""
    return state.phase in ("ready", "failed") and bool(state.message)


def _is_up(state: State) -> bool:
    return reports.is_healthy(state) and any(process.name == "edge" for process in state.processes)
