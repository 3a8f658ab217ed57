"""Creates merchants as an operator: through payments-api's own command, then the public API."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import Any

import httpx

from gateway_local.installation import Installation, command, service_named
from gateway_local.problems import Problem


def create(installation: Installation, environ: Mapping[str, str], name: str, email: str) -> dict[str, Any]:
    """A merchant with its pair of keys and its webhook secret: id, name, email, api_key, api_secret, webhook_secret.

    Nothing of this is kept in clear: it can be shown once. Raises Problem with what payments-api said.
    """
    settings = installation.service_settings(service_named("payments-api-web"), environ) | {"LOG_LEVEL": "WARNING"}
    done = subprocess.run(
        command("payments_api", ("merchant", "create", "--name", name, "--email", email, "--json")),
        capture_output=True,
        text=True,
        check=False,
        env=settings,
        cwd=installation.layout.root,
    )
    if done.returncode:
        raise Problem((done.stderr or done.stdout).strip() or "The merchant could not be created.")
    merchant: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    with client(installation, merchant) as api:
        answer = api.get("/webhooks/config")
    if answer.status_code != 200:
        raise Problem(f"The merchant is there, but its webhook secret could not be read: {answer.text}")
    return merchant | {"webhook_secret": answer.json()["webhook_secret"]}


def client(installation: Installation, merchant: Mapping[str, Any]) -> httpx.Client:
    """An HTTP client of the public API that signs in as the merchant."""
    return httpx.Client(
        base_url=installation.urls()["api"].replace("localhost", "127.0.0.1"),
        headers={"X-Api-Key": merchant["api_key"], "X-Api-Secret": merchant["api_secret"]},
        timeout=15,
    )
