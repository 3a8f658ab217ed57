"""A merchant of its own for each run, so that its books can be balanced apart from everything else."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from gateway_local import merchants, operations, reports
from gateway_local.installation import Installation
from gateway_local.layout import Layout
from gateway_local.problems import Problem
from loadtests.shop import Merchant

TERMINAL_EVENTS = ("payment.success", "payment.failed")


def running() -> tuple[Installation, dict[str, Any]]:
    """The running copy that the environment names, and its status. Raises Problem when there is none."""
    layout = Layout.from_environment(os.environ)
    state = operations.require_running(layout)
    installation = Installation.open(os.environ, ports=state.ports)
    return installation, reports.as_json(installation, state)


def new_merchant(installation: Installation) -> Merchant:
    made = merchants.create(installation, os.environ, "Load test", f"load-{secrets.token_hex(6)}@example.com")
    address = urlsplit(installation.urls()["origin"])
    assert address.port is not None
    return Merchant("127.0.0.1", address.port, made["id"], made["api_key"], made["api_secret"])


def subscribe(installation: Installation, merchant: Merchant, url: str, events: Sequence[str] | None) -> str:
    """Registers a webhook endpoint (all events without `events`) and returns its secret."""
    pair = {"api_key": merchant.api_key, "api_secret": merchant.api_secret}
    body = {"url": url} | ({"events": list(events)} if events else {})
    with merchants.client(installation, pair) as api:
        answer = api.post("/webhook-endpoints", json=body)
    if answer.status_code != 201:
        raise Problem(f"POST /webhook-endpoints answered {answer.status_code}: {answer.text}")
    return str(answer.json()["secret"])
