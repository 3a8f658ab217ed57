"""Break parts of a private copy of the gateway under load, and balance the books after each round."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from gateway_local.interrupting import end_on_sigterm
from gateway_local.layout import CHECKOUT


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=1, help="number of the first round: repeats one of a seed")
    parser.add_argument("--rate", type=float, default=50, help="payments a second")
    parser.add_argument("--only", action="append", metavar="TEXT", help="only kinds of fault whose name has TEXT in it")
    parser.add_argument("--list", action="store_true", help="name the kinds of fault and end")
    parser.add_argument("--cluster", action="store_true", help="three RabbitMQ nodes, PostgreSQL with a standby")
    parser.add_argument(
        "--report", type=Path, help="write all rounds there as JSON, and a table as Markdown next to it"
    )
    parser.add_argument("--keep", action="store_true", help="keep the copy's data and logs")


def run(arguments: argparse.Namespace) -> int:
    sys.path.insert(0, str(CHECKOUT))  # the auditor and the sink of the load tests are used here too
    from gateway_local.faults import campaign, tables
    from gateway_local.faults.rounds import Plan, Report

    end_on_sigterm()  # whoever ends this command ends the copy with it, and its disks
    console = Console(width=250)
    kinds = campaign.kinds(arguments.only or [], cluster=arguments.cluster)
    if arguments.list:
        print("\n".join(kinds))
        return 0
    print(f"seed {arguments.seed}, rounds {arguments.first} to {arguments.first + arguments.rounds - 1}, "
          f"{arguments.rate:g} payments/s", flush=True)  # fmt: skip
    numbers = range(arguments.first, arguments.first + arguments.rounds)
    plan = Plan(arguments.seed, numbers, arguments.rate, kinds)
    reports: list[Report] = []

    def tell(report: Report) -> None:
        reports.append(report)
        print(tables.line(report), flush=True)
        if arguments.report:  # after each: a long run that is ended has told what it saw
            arguments.report.write_text(json.dumps([asdict(one) for one in reports], indent=1))
            arguments.report.with_suffix(".md").write_text(tables.as_markdown(reports) + "\n")

    campaign.run(plan, tell, keep=arguments.keep, cluster=arguments.cluster)
    console.print(tables.by_kind(reports))
    broken = [report.number for report in reports if not report.holds]
    if broken:
        print(f"Rounds that did not end well: {broken}. Repeat one with --seed {arguments.seed} --first N --rounds 1")
    return 1 if broken else 0
