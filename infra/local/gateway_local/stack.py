"""A running gateway as tests see it: addresses, processes, and ways to harm them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway_local import operations, reports
from gateway_local.holding import find
from gateway_local.installation import Installation
from gateway_local.state import ProcessState, Wishes


@dataclass(frozen=True)
class Stack:
    installation: Installation

    @property
    def urls(self) -> dict[str, str]:
        """Keys: origin, api, docs, health, dashboard, checkout, receiver, broker_management."""
        return self.installation.urls()

    def status(self) -> dict[str, Any]:
        """The document of `./gateway status --json`."""
        return reports.as_json(self.installation, operations.require_running(self.installation.layout))

    def process(self, name: str) -> ProcessState:
        return find(name, operations.require_running(self.installation.layout))

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Sends a signal to a service or server by its name; returns the pid that got it."""
        pid = self.process(name).pid
        if pid is None:
            raise RuntimeError(f"{name} is not running")
        os.kill(pid, number)
        return pid

    def hold(self, name: str) -> None:
        """Stops a process in order and keeps it down."""
        self._change(lambda wishes: wishes.held.append(name))
        self._wait(lambda process: process.held and not process.pid, name, f"{name} to stop")

    def release(self, name: str) -> None:
        """Brings it back; returns when it is healthy."""

        def change(wishes: Wishes) -> None:
            wishes.held = [other for other in wishes.held if other != name]

        self._change(change)
        self.wait_healthy(name)

    def scale(self, service: str, copies: int) -> None:
        self._change(lambda wishes: wishes.copies.update({service: copies}))
        names = [service, *(f"{service}-{number}" for number in range(2, copies + 1))]
        operations.wait_for(
            self.installation.layout,
            lambda state: all(any(p.name == n and p.healthy for p in state.processes) for n in names),
            60,
            f"{copies} copies of {service}",
        )

    def wait_healthy(self, *names: str, not_pid: int | None = None, patience_s: float = 60.0) -> None:
        """Until the named processes (all, without names) are well; `not_pid` is one that must have gone before."""
        chosen = names or tuple(process["name"] for process in self.status()["processes"])
        for name in chosen:
            self._wait(lambda p: p.healthy and p.pid != not_pid, name, f"{name} to be healthy", patience_s)

    def _change(self, change: Callable[[Wishes], None]) -> None:
        operations.wish(self.installation.layout, change)

    def _wait(self, is_reached: Callable[[ProcessState], bool], name: str, what: str, patience_s: float = 60.0) -> None:
        operations.wait_for(self.installation.layout, lambda s: is_reached(find(name, s)), patience_s, what)


def wait_until(is_true: Callable[[], bool], patience_s: float = 20.0, every_s: float = 0.05, what: str = "it") -> None:
    """Polls until `is_true()`; raises AssertionError naming `what` when patience runs out."""
    deadline = time.monotonic() + patience_s
    while not is_true():
        assert time.monotonic() < deadline, f"waited {patience_s} s for {what}"
        time.sleep(every_s)
