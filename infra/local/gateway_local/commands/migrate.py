"""Bring every schema of the running copy to its newest version, and seed it."""

from __future__ import annotations

import argparse
import asyncio
import os

from gateway_local import migrations, operations
from gateway_local.layout import Layout


def configure(parser: argparse.ArgumentParser) -> None:
    del parser  # no arguments


def run(arguments: argparse.Namespace) -> int:
    del arguments
    installation = operations.open_running(Layout.from_environment(os.environ), os.environ)
    asyncio.run(migrations.migrate_and_seed(installation, os.environ))
    print("All schemas are at their newest version.")
    return 0
