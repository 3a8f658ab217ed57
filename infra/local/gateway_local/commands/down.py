"""Stop everything that belongs to this run folder; the data stay."""

from __future__ import annotations

import argparse
import os

from gateway_local import operations
from gateway_local.layout import Layout


def configure(parser: argparse.ArgumentParser) -> None:
    del parser  # no arguments


def run(arguments: argparse.Namespace) -> int:
    del arguments
    layout = Layout.from_environment(os.environ)
    print("Stopped." if operations.stop(layout) else "Nothing was running.")
    return 0
