"""Stop and start one process: ./gateway restart rabbitmq."""

from __future__ import annotations

import argparse

from gateway_local.holding import find, hold, release


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("process", help="a name from ./gateway status")


def run(arguments: argparse.Namespace) -> int:
    find(arguments.process)
    hold(arguments.process)
    release(arguments.process)
    print(f"{arguments.process} is back and healthy.")
    return 0
