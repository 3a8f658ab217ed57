"""Stop one process and keep it down until ./gateway start brings it back."""

from __future__ import annotations

import argparse

from gateway_local.holding import find, hold


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("process", help="a name from ./gateway status")


def run(arguments: argparse.Namespace) -> int:
    find(arguments.process)
    hold(arguments.process)
    print(f"{arguments.process} is stopped; ./gateway start {arguments.process} brings it back.")
    return 0
