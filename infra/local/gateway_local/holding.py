"""Stopping and releasing one process of a running copy."""

from __future__ import annotations

import os

from gateway_local import operations
from gateway_local.layout import Layout
from gateway_local.problems import Problem
from gateway_local.state import ProcessState, State, Wishes

PATIENCE_S = 60.0


def find(name: str, state: State | None = None) -> ProcessState:
    """The process of that name; raises Problem listing the names there are."""
    state = state or operations.require_running(Layout.from_environment(os.environ))
    for process in state.processes:
        if process.name == name:
            return process
    raise Problem(f"There is no process {name!r}. There are: {', '.join(p.name for p in state.processes)}")


def hold(name: str) -> None:
    layout = Layout.from_environment(os.environ)

    def change(wishes: Wishes) -> None:
        wishes.held = sorted({*wishes.held, name})

    operations.wish(layout, change)
    operations.wait_for(layout, lambda s: find(name, s).held and not find(name, s).pid, PATIENCE_S, f"{name} to stop")


def release(name: str) -> None:
    layout = Layout.from_environment(os.environ)

    def change(wishes: Wishes) -> None:
        wishes.held = [other for other in wishes.held if other != name]

    operations.wish(layout, change)
    operations.wait_for(layout, lambda s: find(name, s).healthy, PATIENCE_S, f"{name} to be healthy")
