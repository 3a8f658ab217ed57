"""Run linters, types and all tests; further arguments go to pytest."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gateway_local import packages
from gateway_local.layout import CHECKOUT

# What needs the whole gateway; --fast leaves it out.
WHOLE = ("tests/browser", "tests/e2e", "tests/contract", "tests/faults", "tests/security")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fast", action="store_true", help="no tests that need the whole gateway or a browser")
    parser.set_defaults(rest=[])  # whatever else is given is for pytest: paths, -k, -x …
    parser.usage = "./gateway test [--fast] [pytest arguments]"


def run(arguments: argparse.Namespace) -> int:
    wanted = packages.SERVERS if arguments.fast else {**packages.SERVERS, **packages.BROWSER}
    packages.ensure(wanted)
    options = [f"--ignore={folder}" for folder in WHOLE] if arguments.fast else []
    # Beside the tests, which wait more than they work; told when those are done.
    beside = ThreadPoolExecutor(1)
    checks = [] if arguments.rest else [(name, beside.submit(_check, argv)) for name, argv in _checks().items()]
    try:
        pytest = subprocess.call(
            [sys.executable, "-m", "pytest", "--durations=10", *options, *arguments.rest],
            cwd=CHECKOUT,
            env=_environment(),
        )
        failed = [name for name, check in checks if not _tell(name, check.result())]
    finally:
        beside.shutdown(cancel_futures=True)
    if failed:
        print(f"Failed besides pytest: {', '.join(failed)}")
    return 1 if failed else pytest


def _checks() -> Mapping[str, Sequence[str]]:
    python = (sys.executable, "-m")
    tools = Path(sys.executable).parent
    sources = sorted(str(path) for path in CHECKOUT.glob("services/*/src/*") if (path / "__init__.py").exists())
    common = [str(CHECKOUT / "libs/common/src/gateway_common"), str(CHECKOUT / "infra/local/gateway_local")]
    return {
        "ruff check": (*python, "ruff", "check", "."),
        "ruff format": (*python, "ruff", "format", "--check", "."),
        "mypy": (*python, "mypy", *common, *sources),
        "import-linter": (str(tools / "lint-imports"),),
    }


def _check(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["nice", *argv],
        cwd=CHECKOUT,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _tell(name: str, done: subprocess.CompletedProcess[str]) -> bool:
    """Returns whether the check passed."""
    print(f"{name}: {'FAILED' if done.returncode else 'passed'}", flush=True)
    if done.returncode:
        print(done.stdout, flush=True)
    return done.returncode == 0


def _environment() -> dict[str, str]:
    """Settings of a gateway that the caller runs must not reach the tests; GATEWAY_TEST_RUN_DIR is meant for them."""
    kept = ("GATEWAY_ROOT", "GATEWAY_TEST_RUN_DIR")
    return {
        name: value
        for name, value in os.environ.items()
        if name in kept or not name.startswith(("GATEWAY_", "TEST_", "WEBHOOK_"))
    }
