"""Run linters, types and all tests; further arguments go to pytest."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
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
    failed = [] if arguments.rest else [name for name, argv in _checks().items() if not _passes(name, argv)]
    options = [f"--ignore={folder}" for folder in WHOLE] if arguments.fast else []
    pytest = subprocess.call(
        [sys.executable, "-m", "pytest", "--durations=10", *options, *arguments.rest], cwd=CHECKOUT, env=_environment()
    )
    if failed:
        print(f"Failed before pytest: {', '.join(failed)}")
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


def _passes(name: str, argv: Sequence[str]) -> bool:
    started = time.monotonic()
    done = subprocess.run(
        argv, cwd=CHECKOUT, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    verdict = "passed" if done.returncode == 0 else "FAILED"
    print(f"{name}: {verdict} in {time.monotonic() - started:.1f} s", flush=True)
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
