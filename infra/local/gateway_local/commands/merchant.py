"""Create a merchant and print its keys and webhook secret, this once."""

from __future__ import annotations

import argparse
import json
import os

from gateway_local import operations
from gateway_local.layout import Layout


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="create", required=True)
    create = actions.add_parser("create", help="a new merchant with a pair of API keys")
    create.add_argument("--name", required=True, help="what shoppers see at checkout")
    create.add_argument("--email", required=True)
    create.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    from gateway_local import merchants  # its HTTP client takes a while to import

    installation = operations.open_running(Layout.from_environment(os.environ), os.environ)
    merchant = merchants.create(installation, os.environ, arguments.name, arguments.email)
    if arguments.json:
        print(json.dumps(merchant))
        return 0
    for name, value in merchant.items():
        print(f"{name:15} {value}")
    print("\nThe secrets are shown this once; keep them.")
    return 0
