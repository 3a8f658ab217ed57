"""The committed OpenAPI document is what the services say of themselves, and its examples work as they stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway_local.stack import Stack
from payments_api.documentation.build import PARTS, build

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/openapi/openapi.json"
HEADERS = {"X-Api-Key": "key_test_abc123", "X-Api-Secret": "secret_test_xyz789"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DOCUMENT.read_text())
    return found


def test_it_is_up_to_date(stack: Stack) -> None:
    ports = {process["name"]: process["port"] for process in stack.status()["processes"]}
    names = {"payments-api": "payments-api-web", "refunds": "refunds-web", "webhooks": "webhooks-web"}
    urls = {service: f"http://127.0.0.1:{ports[names[service]]}" for service in PARTS}
    assert build(urls) == DOCUMENT.read_text(), (
        "run python -m payments_api.documentation.build (docs/openapi/README.md)"
    )


def test_it_is_served_with_a_page(stack: Stack, document: dict[str, Any]) -> None:
    origin = stack.urls["origin"]
    assert httpx.get(f"{origin}/openapi.json").json() == document
    page = httpx.get(f"{origin}/docs")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert all(path in page.text for path in document["paths"])


def test_examples_without_path_parameters_work(stack: Stack, document: dict[str, Any]) -> None:
    tried = 0
    for path, item in document["paths"].items():
        operation = item.get("post", {})
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        if "{" in path or not path.startswith(("/api/v1/orders", "/api/v1/payments")):
            continue
        for example in content.get("examples", {}).values():
            answer = httpx.post(stack.urls["origin"] + path, json=example["value"], headers=HEADERS, timeout=10)
            assert answer.status_code == 201, (path, example["summary"], answer.text)
            tried += 1
    assert tried >= 8
