"""Measure a running gateway with the lean generator; `./gateway load` is the friendlier way with locust.

python -m loadtests --seconds 60                          closed model, 32 connections
python -m loadtests --rate 100 --seconds 300              open model, latency from the moment a request was due
python -m loadtests --rate 1000 --seconds 5               a burst of 5,000
python -m loadtests --rate 50 --seconds 1800 --all-events soak
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import uvloop

from gateway_local.problems import Problem
from loadtests.measuring import Measurement, Plan, Report
from loadtests.preparing import TERMINAL_EVENTS, running

SETTLED_SECONDS = 300.0


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure a running gateway, then balance its books.")
    parser.add_argument("--rate", type=float, help="payments a second (open model); default closed model")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--all-events", action="store_true", help="three webhooks per payment, not only the verdict's")
    parser.add_argument("--json", type=Path, help="write the report there")
    arguments = parser.parse_args()
    events = None if arguments.all_events else TERMINAL_EVENTS
    plan = Plan(arguments.seconds, arguments.connections, arguments.rate, events)
    try:
        installation, status = running()
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    report = uvloop.run(Measurement(installation, status, plan, lambda line: print(line, flush=True)).run())
    print(describe(report))
    if arguments.json:
        arguments.json.write_text(json.dumps(report.as_json(), indent=1, default=str))
    return 0 if report.balance is not None and report.balance.holds else 1


def describe(report: Report) -> str:
    lines = [
        f"{report.plan}: accepted {report.accepted} ({report.accepted_per_second:.0f}/s), refused: {report.refusals}",
        f"delivered {report.delivered}, sustained {report.sustained_per_second:.0f}/s,"
        f" last webhook {report.backlog_seconds:.1f} s after the last answer",
        f"answer            {report.answer}",
        f"due to delivered  {report.to_delivery}",
        f"memory of all services at most {report.peak_memory_mib:.0f} MiB",
        "processor time per payment:",
    ]
    for name, used in sorted(report.usage.items(), key=lambda item: -item[1].cpu_seconds):
        if used.cpu_seconds >= 0.05:
            each = used.cpu_seconds / max(1, report.accepted) * 1e6
            lines.append(f"  {name:20} {each:6.0f} µs  {used.memory_mib:5.0f} MiB")
    lines += _growth(report)
    if report.balance is not None:
        lines += [str(check) for check in report.balance.checks]
    return "\n".join(lines)


def _growth(report: Report) -> list[str]:
    """Of a soak: each process's memory at the end, compared with what it had after `SETTLED_SECONDS`."""
    settled = next((mib for seconds, mib in report.memory_over_time if seconds >= SETTLED_SECONDS), None)
    if settled is None or report.plan.seconds < 2 * SETTLED_SECONDS:
        return []
    at_the_end = report.memory_over_time[-1][1]
    lines = [f"memory after {SETTLED_SECONDS:.0f} s and at the end:"]
    for name, before in settled.items():
        lines.append(f"  {name:20} {before:5.0f} {at_the_end[name]:5.0f} MiB, {at_the_end[name] / before:.2f} times")
    return lines


if __name__ == "__main__":
    sys.exit(main())
