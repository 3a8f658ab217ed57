"""Locust's entry: which users there are, what the auditor is told, a line of progress every second.

`./gateway load` runs it. By hand, and distributed over machines: README.md.
"""

from __future__ import annotations

import time
from typing import Any

import gevent
from locust import events as locust_events
from locust.runners import MasterRunner, WorkerRunner

from loadtests.scenarios.environment import read

RUN = read()
# Its decorators have no annotations.
events: Any = locust_events
if RUN.per_second is None:
    from loadtests.scenarios.merchants import MerchantServer as MerchantServer
    from loadtests.scenarios.shoppers import Shopper as Shopper
else:
    from loadtests.scenarios.open_model import Arrivals as Arrivals


# Locust's reports between processes come without the environment they belong to.
_ENVIRONMENTS: list[Any] = []


@events.init.add_listener
def _prepare(environment: Any, **_: Any) -> None:
    environment.accepted = []  # ids of payments that were answered with 201
    _ENVIRONMENTS.append(environment)


@events.test_start.add_listener
def _begin(environment: Any, **_: Any) -> None:
    if not isinstance(environment.runner, WorkerRunner):
        gevent.spawn(_tell_progress, environment)


@events.report_to_master.add_listener
def _hand_over(data: dict[str, Any], **_: Any) -> None:
    environment = _ENVIRONMENTS[0]
    data["accepted"], environment.accepted = environment.accepted, []


@events.worker_report.add_listener
def _take_over(data: dict[str, Any], **_: Any) -> None:
    _ENVIRONMENTS[0].accepted.extend(data.get("accepted", ()))


@events.quitting.add_listener
def _write_accepted(environment: Any, **_: Any) -> None:
    if not isinstance(environment.runner, WorkerRunner):
        (RUN.folder / "accepted.txt").write_text("\n".join(environment.accepted))


def _tell_progress(environment: Any) -> None:
    started = time.monotonic()
    kind = "workers" if isinstance(environment.runner, MasterRunner) else "users"
    while True:
        gevent.sleep(1)
        total = environment.stats.total
        elapsed = time.monotonic() - started
        count = environment.runner.worker_count if kind == "workers" else environment.runner.user_count
        print(
            f"{elapsed:5.0f} s  {count} {kind}  {total.current_rps:6.1f} requests/s  failures {total.num_failures}  "
            f"p50 {total.get_current_response_time_percentile(0.5) or 0:.0f} ms  "
            f"p99 {total.get_current_response_time_percentile(0.99) or 0:.0f} ms",
            flush=True,
        )
