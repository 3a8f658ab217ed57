"""Show every process with its health; exit code 0 only if all are well."""

from __future__ import annotations

import argparse
import json
import os

from rich.console import Console

from gateway_local import operations, reports
from gateway_local.installation import Installation
from gateway_local.layout import Layout


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs: processes, servers, URLs, addresses")


def run(arguments: argparse.Namespace) -> int:
    layout = Layout.from_environment(os.environ)
    state = operations.running(layout)
    if state is None:
        if arguments.json:
            print(json.dumps({"run_dir": str(layout.run), "supervisor_pid": None, "phase": "down",
                              "healthy": False, "processes": []}))  # fmt: skip
        else:
            print(f"The gateway is not up (run folder {layout.run}). Start it with ./gateway up")
        return 1
    installation = Installation.open(os.environ, ports=state.ports)
    if arguments.json:
        print(json.dumps(reports.as_json(installation, state), indent=2))
    else:
        console = Console()
        console.print(reports.as_table(state))
        for name, url in installation.urls().items():
            console.print(f"{name:18} {url}", highlight=False)
        if state.phase != "ready":
            console.print(f"{state.phase}: {state.message}")
    return 0 if reports.is_healthy(state) else 1
