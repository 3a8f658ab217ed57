"""Make one payment from order to verified webhook and print its timeline."""

from __future__ import annotations

import argparse
import os

from rich.console import Console

from gateway_local import operations
from gateway_local.layout import Layout


def configure(parser: argparse.ArgumentParser) -> None:
    del parser  # no arguments


def run(arguments: argparse.Namespace) -> int:
    from gateway_local import demonstration  # its HTTP client takes a while to import

    del arguments
    installation = operations.open_running(Layout.from_environment(os.environ), os.environ)
    Console().print(demonstration.run(installation, os.environ))
    return 0
