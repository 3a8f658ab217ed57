"""Write the merged OpenAPI document from what the running services say of themselves.

    PAYMENTS_API_URL=http://127.0.0.1:8001 REFUNDS_URL=… WEBHOOKS_URL=… python -m payments_api.documentation.build

Two copies: one is part of this service, which serves it, one is `docs/openapi/openapi.json`, for people and tools.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import httpx

from payments_api.documentation.merging import Document, merge

TARGETS = (
    Path(__file__).with_name("openapi.json"),
    Path(__file__).resolve().parents[5] / "docs" / "openapi" / "openapi.json",
)
PARTS = {
    "payments-api": ("PAYMENTS_API_URL", "http://127.0.0.1:8001", "/internal/openapi.json"),
    "refunds": ("REFUNDS_URL", "http://127.0.0.1:8002", "/openapi.json"),
    "webhooks": ("WEBHOOKS_URL", "http://127.0.0.1:8003", "/openapi.json"),
}


def build(urls: Mapping[str, str]) -> str:
    """The document's text. `urls` maps a service to its own address.

    Raises:
        httpx.HTTPError: a service does not answer.
    """
    parts: dict[str, Document] = {}
    for service, (_, _, path) in PARTS.items():
        parts[service] = httpx.get(urls[service] + path, timeout=5).raise_for_status().json()
    return json.dumps(merge(parts), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    urls = {service: os.environ.get(variable, default) for service, (variable, default, _) in PARTS.items()}
    text = build(urls)
    for target in TARGETS:
        target.write_text(text)


if __name__ == "__main__":
    main()
