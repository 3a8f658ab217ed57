"""Show the log of one process, or the supervisor's; -f follows it."""

from __future__ import annotations

import argparse
import os
import subprocess

from gateway_local.layout import Layout
from gateway_local.problems import Problem


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("process", nargs="?", help="a name from ./gateway status; all logs without it")
    parser.add_argument("-f", "--follow", action="store_true")
    parser.add_argument("-n", "--lines", type=int, default=40)


def run(arguments: argparse.Namespace) -> int:
    logs = Layout.from_environment(os.environ).logs
    names = sorted(path.stem for path in logs.glob("*.log") if not path.stem.endswith(".1"))
    if not names:
        raise Problem(f"There are no logs in {logs} yet; ./gateway up makes them.")
    chosen = [arguments.process] if arguments.process else names
    if chosen[0] not in names:
        raise Problem(f"There is no log of {chosen[0]!r}. There are: {', '.join(names)}")
    follow = ["-F"] if arguments.follow else []
    return subprocess.call(["tail", "-n", str(arguments.lines), *follow, *[str(logs / f"{n}.log") for n in chosen]])
