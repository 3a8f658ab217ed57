"""Run linters, types and all tests; further arguments go to pytest."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from gateway_local import packages
from gateway_local.layout import CHECKOUT

# What needs the whole gateway; --fast leaves it out.
WHOLE = ("tests/browser", "tests/e2e", "tests/contract", "tests/faults", "tests/security")
# Tests that mostly wait (for retries that come due, for servers that come back) run in a pytest of their own with its own
# gateway, beside the others. Faults first: they work most, and are over when the browser's times are taken.
PATIENT = ("tests/faults", "tests/e2e")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fast", action="store_true", help="no tests that need the whole gateway or a browser")
    parser.set_defaults(rest=[])  # whatever else is given is for pytest: paths, -k, -x …
    parser.usage = "./gateway test [--fast] [pytest arguments]"


def run(arguments: argparse.Namespace) -> int:
    wanted = packages.SERVERS if arguments.fast else {**packages.SERVERS, **packages.BROWSER}
    packages.ensure(wanted)
    left_out = WHOLE if arguments.fast else () if arguments.rest else PATIENT
    options = [f"--ignore={folder}" for folder in left_out]
    checks = {} if arguments.rest else _checks()
    if not arguments.rest and not arguments.fast:
        checks = {" and ".join(PATIENT): _pytest("-p", "no:cacheprovider", *PATIENT), **checks}
    with ThreadPoolExecutor(2) as pool:
        beside = {name: pool.submit(_check, argv) for name, argv in checks.items()}
        try:
            pytest = subprocess.call(_pytest(*options, *arguments.rest), cwd=CHECKOUT, env=_environment())
            failed = [name for name, check in beside.items() if not _tell(name, check)]
        finally:
            pool.shutdown(cancel_futures=True)
    if failed:
        print(f"Failed besides pytest: {', '.join(failed)}")
    return 1 if failed else pytest


def _pytest(*arguments: str) -> Sequence[str]:
    return (sys.executable, "-m", "pytest", "--durations=10", *arguments)


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
        ["nice", *argv],  # the tests that others wait for, and whose times are measured, come first
        cwd=CHECKOUT,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _tell(name: str, check: Future[subprocess.CompletedProcess[str]]) -> bool:
    """Returns whether the check passed."""
    if not check.done():
        print(f"{name}: waiting for the end …", flush=True)
    done = check.result()
    if done.returncode:
        print(f"{name}: FAILED\n{done.stdout}", flush=True)
    else:
        print(f"{name}: passed ({done.stdout.strip().splitlines()[-1].strip('= ')})", flush=True)
    return done.returncode == 0


def _environment() -> dict[str, str]:
    """Settings of a gateway that the caller runs must not reach the tests; GATEWAY_TEST_RUN_DIR is meant for them."""
    kept = ("GATEWAY_ROOT", "GATEWAY_TEST_RUN_DIR")
    return {
        name: value
        for name, value in os.environ.items()
        if name in kept or not name.startswith(("GATEWAY_", "TEST_", "WEBHOOK_"))
    }
