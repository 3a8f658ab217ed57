"""Start everything, send a demo payment, and stay in front (or go to the background with -d)."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import time

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from gateway_local import operations, packages, reports
from gateway_local.installation import Installation
from gateway_local.layout import Layout
from gateway_local.problems import Problem
from gateway_local.progress import Progress
from gateway_local.state import State, Wishes


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-d", "--detach", action="store_true", help="return when all is ready; ./gateway down stops it")
    parser.add_argument("--no-demo", action="store_true", help="send no demo payment")
    parser.add_argument("--servers-only", action="store_true", help="only PostgreSQL, Redis and RabbitMQ, for tests")


def run(arguments: argparse.Namespace) -> int:
    layout, console = Layout.from_environment(os.environ), Console()
    services = not arguments.servers_only
    state = operations.running(layout)
    if state:
        return _already_up(layout, state, services, console)
    packages.ensure(packages.SERVERS)
    Installation.open(os.environ)  # a setting that cannot be is told here, before anything starts
    Wishes(services=services).save(layout.wishes)
    process = operations.spawn(layout, os.environ, tether=not arguments.detach)
    # From here on the end of this command must be the end of what it started, unless it is to stay.
    # SIGINT too: a shell that starts this in the background has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with Progress(console) as progress:
            operations.wait_until_ready(layout, process, lambda s: progress.tell(s.message))
        installation = operations.open_running(layout, os.environ)
        went_well = not services or _welcome(installation, console, demo=not arguments.no_demo)
        if arguments.detach:
            console.print("Runs in the background; ./gateway down stops it.", highlight=False)
            return 0 if went_well else 1
        _watch(layout, process, console)
    except KeyboardInterrupt:
        _stop(layout, process)
        console.print("Stopped.")
        return 0
    except BaseException:
        _stop(layout, process)
        raise
    return 0


def _interrupt(number: int, _frame: object) -> None:
    raise KeyboardInterrupt(number)


def _already_up(layout: Layout, state: State, services: bool, console: Console) -> int:
    if services and not any(process.kind == "service" for process in state.processes):
        operations.wish(layout, _want_services)
        with Progress(console) as progress:
            progress.tell("starting the services")
            state = operations.wait_for(
                layout, lambda s: s.phase == "ready" and (_serves(s) or bool(s.message)), 120, "the services"
            )
        if state.message:
            raise Problem(state.message)
    console.print(f"Already up (run folder {layout.run}).", highlight=False)
    console.print(reports.as_table(state))
    return 0 if reports.is_healthy(state) else 1


def _serves(state: State) -> bool:
    return any(process.name == "edge" and process.healthy for process in state.processes)


def _want_services(wishes: Wishes) -> None:
    wishes.services = True


def _welcome(installation: Installation, console: Console, demo: bool) -> bool:
    """Prints the demo payment and the addresses. False if the demo did not work, which is said but stops nothing."""
    from gateway_local import demonstration  # its HTTP client takes a while to import

    urls, went_well = installation.urls(), True
    if demo:
        with Progress(console) as progress:
            progress.tell("sending a demo payment")
            try:
                outcome: Table | str = demonstration.run(installation, os.environ)
            except Problem as problem:
                outcome, went_well = f"[red]Everything runs, but:[/] {escape(str(problem))}", False
        console.print(outcome)
    console.print()
    for name in ("api", "docs", "dashboard", "checkout", "receiver"):
        console.print(f"{name:10} {urls[name]}", highlight=False)
    console.print(f"\n{demonstration.curl_line(urls)}\n", soft_wrap=True, highlight=False)
    return went_well


def _watch(layout: Layout, process: subprocess.Popen[bytes], console: Console) -> None:
    """Until Ctrl-C, or until `./gateway down` stops the supervisor from elsewhere."""
    console.print("Ctrl-C stops everything.", highlight=False)
    if not console.is_terminal:
        process.wait()
    else:
        with Live(console=console, refresh_per_second=2) as live:
            while process.poll() is None:
                if state := operations.running(layout):
                    live.update(reports.as_table(state))
                time.sleep(0.5)
    if process.returncode:
        operations.stop(layout)
        raise Problem(f"The supervisor ended with {process.returncode}; what it ran was stopped.")


def _stop(layout: Layout, process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
    operations.stop(layout)
    process.wait()
