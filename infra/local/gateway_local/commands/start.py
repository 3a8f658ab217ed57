"""Bring back a process that ./gateway stop has stopped."""

from __future__ import annotations

import argparse

from gateway_local.holding import find, release


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("process", help="a name from ./gateway status")


def run(arguments: argparse.Namespace) -> int:
    find(arguments.process)
    release(arguments.process)
    print(f"{arguments.process} is healthy.")
    return 0
