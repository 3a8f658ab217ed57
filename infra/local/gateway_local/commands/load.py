"""Load the running gateway with locust, on loopback and for a bounded time, then balance the books.

Without --rate: merchants and shoppers in a closed model. With --rate: payments at that rate (open model), where latency
counts from the moment a request was due. The exit code is 0 only if every payment is terminal, charged once, its events
delivered once, and refunds within amounts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from gateway_local import operations
from gateway_local.layout import CHECKOUT, Layout
from gateway_local.problems import Problem

MOST_USERS, MOST_PER_SECOND, MOST_SECONDS = 2000, 5000, 7200


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--users", type=int, default=40, help="merchants and shoppers at once")
    parser.add_argument("--rate", type=float, help="payments a second, open model")
    parser.add_argument("--time", type=int, default=30, help="seconds")
    parser.add_argument("--workers", type=int, default=1, help="locust processes that share the load")
    parser.add_argument(
        "--web", type=int, nargs="?", const=8089, metavar="PORT", help="locust's own page while it runs"
    )


def run(arguments: argparse.Namespace) -> int:
    operations.require_running(Layout.from_environment(os.environ))
    if not 1 <= arguments.users <= MOST_USERS or not 1 <= arguments.time <= MOST_SECONDS:
        raise Problem(f"Between 1 and {MOST_USERS} users, for 1 to {MOST_SECONDS} seconds.")
    if arguments.rate is not None and not 0 < arguments.rate <= MOST_PER_SECOND:
        raise Problem(f"A rate between 0 and {MOST_PER_SECOND} payments a second.")
    command = [sys.executable, "-m", "loadtests.locust_run"]
    for name in ("users", "rate", "time", "workers", "web"):
        value = getattr(arguments, name)
        if value is not None:
            command += [f"--{name}", str(value)]
    return subprocess.call(command, cwd=CHECKOUT)
