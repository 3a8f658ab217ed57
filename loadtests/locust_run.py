"""A run with locust against the running gateway: prepare, load, wait for what is under way, balance the books.

`./gateway load` starts this. Locust runs in processes of its own: it brings gevent, which would change this one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway_local import merchants
from gateway_local.installation import Installation
from gateway_local.layout import CHECKOUT, Layout
from gateway_local.problems import Problem
from loadtests.audit import Balance, Evidence, balance, read_lines
from loadtests.preparing import new_merchant, running, subscribe
from loadtests.shop import AMOUNT, Merchant

ORDERS = 200
# The bank may take up to 10 s, a webhook's second attempt comes after a minute.
PATIENCE_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Options:
    """`per_second` None: closed model with `users`; otherwise open model at that rate."""

    users: int
    per_second: float | None
    seconds: int
    workers: int
    web_port: int | None


def main() -> int:
    options = _read_options()
    try:
        installation, status = running()
        return run(installation, status, options)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1


def run(installation: Installation, status: dict[str, Any], options: Options) -> int:
    """Returns 0 when the books balance."""
    folder = Layout.from_environment(os.environ).run / "load" / time.strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True)
    merchant = new_merchant(installation)
    with _sink(installation, merchant, folder / "deliveries.jsonl"):
        _write_run(installation, merchant, folder, options)
        print(f"load for {options.seconds} s, record in {folder}", flush=True)
        locust = subprocess.run(
            _locust(installation, options), cwd=CHECKOUT, check=False,
            env={**os.environ, "GATEWAY_LOAD_RUN": str(folder / "run.json")},
        )  # fmt: skip
        accepted = frozenset((folder / "accepted.txt").read_text().split())
        print(f"{len(accepted)} payments accepted; balancing the books", flush=True)
        found = asyncio.run(_settled(status, merchant.id, accepted, folder / "deliveries.jsonl"))
    for check in found.checks:
        print(check)
    if locust.returncode:
        print("Locust saw failed requests; its table above names them.")
    return 0 if found.holds and accepted else 1


async def _settled(status: dict[str, Any], merchant_id: str, accepted: frozenset[str], record: Path) -> Balance:
    """The balance once it holds, or as it is when patience has run out."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = await balance(status, merchant_id, Evidence(accepted, read_lines(record)))
        if found.holds or time.monotonic() > deadline:
            return found
        waiting = ", ".join(f"{check.name}: {check.wrong} to go" for check in found.checks if not check.holds)
        print(f"  {waiting}", flush=True)
        await asyncio.sleep(2)


def _locust(installation: Installation, options: Options) -> list[str]:
    users = options.workers if options.per_second is not None else options.users
    command = [
        sys.executable, "-m", "locust", "--locustfile", "loadtests/locustfile.py", "--host",
        installation.urls()["origin"], "--users", str(users), "--spawn-rate", str(max(users, 1)),
        "--run-time", f"{options.seconds}s", "--loglevel", "WARNING", "--stop-timeout", "12",
    ]  # fmt: skip
    if options.workers > 1:
        command += ["--processes", str(options.workers)]
    if options.web_port is None:
        return [*command, "--headless", "--only-summary"]
    return [*command, "--autostart", "--autoquit", "2", "--web-host", "127.0.0.1", "--web-port", str(options.web_port)]


@contextmanager
def _sink(installation: Installation, merchant: Merchant, record: Path) -> Iterator[None]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    secret = subscribe(installation, merchant, f"http://127.0.0.1:{port}/", None)
    command = [sys.executable, "-m", "loadtests.sink", "--port", str(port), "--secret", secret, "--record", str(record)]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while not record.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _write_run(installation: Installation, merchant: Merchant, folder: Path, options: Options) -> None:
    pair = {"api_key": merchant.api_key, "api_secret": merchant.api_secret}
    order_ids = []
    with merchants.client(installation, pair) as api:
        for _ in range(ORDERS):
            answer = api.post("/orders", json={"amount": AMOUNT, "multiple_payments": True})
            if answer.status_code != 201:
                raise Problem(f"POST /orders answered {answer.status_code}: {answer.text}")
            order_ids.append(answer.json()["id"])
    told = pair | {"order_ids": order_ids, "per_second": options.per_second, "seconds": options.seconds}
    path = folder / "run.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(told))


def _read_options() -> Options:
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--time", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--web", type=int)
    read = parser.parse_args()
    return Options(read.users, read.rate, read.time, read.workers, read.web)


if __name__ == "__main__":
    sys.exit(main())
