"""Measure this machine and the gateway on it: ratios first, then rates. Takes about four minutes.

Starts a private copy on free ports and removes it afterwards; a gateway that is running is left alone (but takes its
share of the processor: stop it for figures that mean something).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from gateway_local import operations, packages
from gateway_local.layout import CHECKOUT, Layout
from gateway_local.ports import free_offset
from gateway_local.state import Wishes


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=8, help="of one round of (b) and of (c)")
    parser.add_argument("--rounds", type=int, default=5, help="of (b) and (c), in turn")
    parser.add_argument("--sustained", type=float, default=60, help="seconds of (d)")
    parser.add_argument("--parts", default="abcd", help="abc: accepting payments; d: the whole chain")
    parser.add_argument("--bank-delay-ms", type=int, default=0, help="in (d)")


def run(arguments: argparse.Namespace) -> int:
    packages.ensure(packages.SERVERS)
    folder = Path(tempfile.mkdtemp(prefix="gateway-bench-"))
    folder.chmod(0o755)  # PostgreSQL's own user must be able to pass through
    environ = _environment(folder, arguments.bank_delay_ms)
    layout = Layout.from_environment(environ)
    try:
        layout.create()
        Wishes(services=True).save(layout.wishes)
        print("starting a private copy …", flush=True)
        process = operations.spawn(layout, environ, tether=True)
        operations.wait_until_ready(layout, process, lambda _: None)
        command = [sys.executable, "-m", "loadtests.benchmark", f"--seconds={arguments.seconds}",
                   f"--rounds={arguments.rounds}", f"--sustained={arguments.sustained}",
                   f"--parts={arguments.parts}"]  # fmt: skip
        return subprocess.call(command, cwd=CHECKOUT, env=environ)
    finally:
        operations.stop(layout)
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path, bank_delay_ms: int) -> Mapping[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "TEST_", "WEBHOOK_"))}
    own = {name: value for name, value in own.items() if not name.endswith("_PORT")}
    return own | {
        "GATEWAY_ROOT": str(CHECKOUT),
        "GATEWAY_RUN_DIR": str(folder),
        "GATEWAY_PORT_OFFSET": str(free_offset()),
        "TEST_MODE": "true",
        "TEST_PROCESSING_DELAY": str(bank_delay_ms),
        "RATE_LIMITS_ENABLED": "false",
        "LOG_LEVEL": "WARNING",
    }
