"""Run a service in several copies: ./gateway scale processor=2 webhooks-worker=3."""

from __future__ import annotations

import argparse
import os

from gateway_local import operations
from gateway_local.layout import Layout
from gateway_local.problems import Problem
from gateway_local.processes import SERVICES
from gateway_local.state import ProcessState, State, Wishes

# Their one port is where people and browsers look for them.
SINGLE = {"checkout-cdn", "dashboard", "receiver"}
MOST_COPIES = 16


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("counts", nargs="+", metavar="SERVICE=COPIES")


def run(arguments: argparse.Namespace) -> int:
    layout = Layout.from_environment(os.environ)
    wanted = dict(_parse(text) for text in arguments.counts)

    def change(wishes: Wishes) -> None:
        wishes.copies |= wanted

    operations.wish(layout, change)
    state = operations.wait_for(layout, lambda s: _agrees(s, wanted), 60, "the copies to be ready")
    for name in wanted:
        copies = ", ".join(f"{p.name} (pid {p.pid}, port {p.port})" for p in _copies(state, name))
        print(f"{name}: {copies}")
    return 0


def _parse(text: str) -> tuple[str, int]:
    name, _, count = text.partition("=")
    scalable = [service.name for service in SERVICES if service.name not in SINGLE]
    if name not in scalable:
        raise Problem(f"{name!r} cannot be scaled. These can: {', '.join(scalable)}")
    if not count.isdigit() or not 1 <= int(count) <= MOST_COPIES:
        raise Problem(f"{text!r}: say how many copies, 1 to {MOST_COPIES}, as in {name}=2")
    return name, int(count)


def _copies(state: State, name: str) -> list[ProcessState]:
    return [p for p in state.processes if p.name == name or (p.name.startswith(f"{name}-") and p.name[-1].isdigit())]


def _agrees(state: State, wanted: dict[str, int]) -> bool:
    return all(
        len(copies := _copies(state, name)) == count and all(copy.healthy for copy in copies)
        for name, count in wanted.items()
    )
