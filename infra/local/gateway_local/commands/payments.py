"""List recent payments with their state, of the test merchant and the demo's."""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

from rich.console import Console
from rich.table import Table

from gateway_local import operations
from gateway_local.installation import Installation
from gateway_local.layout import Layout
from gateway_local.problems import Problem

TEST_MERCHANT = {"api_key": "key_test_abc123", "api_secret": "secret_test_xyz789"}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-n", "--limit", type=int, default=20, help="how many per merchant, 1 to 100")
    parser.add_argument("--status", choices=("pending", "success", "failed", "cancelled"))
    parser.add_argument("--key", help="API key of another merchant, together with --secret")
    parser.add_argument("--secret")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    installation = operations.open_running(Layout.from_environment(os.environ), os.environ)
    if bool(arguments.key) != bool(arguments.secret):
        raise Problem("--key and --secret belong together.")
    chosen = [{"api_key": arguments.key, "api_secret": arguments.secret}] if arguments.key else _known(installation)
    filters = {"limit": arguments.limit} | ({"status": arguments.status} if arguments.status else {})
    found = [payment for merchant in chosen for payment in _list(installation, merchant, filters)]
    found.sort(key=lambda payment: str(payment["created_at"]), reverse=True)
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        Console().print(_table(found) if found else "No payments yet; ./gateway demo makes one.")
    return 0


def _known(installation: Installation) -> list[dict[str, Any]]:
    demo = installation.layout.run / "demo-merchant.json"
    return [TEST_MERCHANT, *([json.loads(demo.read_text())] if demo.exists() else [])]


def _list(installation: Installation, merchant: dict[str, Any], filters: dict[str, Any]) -> list[dict[str, Any]]:
    from gateway_local import merchants  # its HTTP client takes a while to import

    with merchants.client(installation, merchant) as api:
        answer = api.get("/payments", params=filters)
    if answer.status_code != 200:
        raise Problem(f"GET /payments answered {answer.status_code}: {answer.text}")
    return list(answer.json()["data"])


def _table(payments: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("payment", "order", "amount", "method", "status", "created"):
        table.add_column(column, justify="right" if column == "amount" else "left")
    for payment in payments:
        amount = f"{payment['amount'] / 100:,.2f} {payment['currency']}"
        table.add_row(
            payment["id"], payment["order_id"], amount, payment["method"], payment["status"], payment["created_at"]
        )
    return table
