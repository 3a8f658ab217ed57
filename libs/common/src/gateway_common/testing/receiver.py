"""A webhook receiver for people, the demo and tests.

    python -m gateway_common.testing.receiver [--port 8090]

`POST /hooks/<anything>` takes a webhook, verifies both signatures with the secrets it was told, keeps it in memory
(the last 20,000), and answers as it was told to. Control, on loopback only:

- `POST /_control/secrets` `{"secret": "whsec_…"}`: one more secret to verify with
- `POST /_control/behaviour` `{"path": "/hooks/x", "status": 500, "delay_ms": 0, "headers": {}}`: how to answer there
- `GET /_control/received?path=/hooks/x&limit=100&after=0`: what came, as
  `{"total", "data": [{number, path, headers, body, received_at, verified, verified_by}]}`
- `DELETE /_control/received`: forget it
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
import hashlib
import hmac
import time
from collections import deque
from typing import Any

import orjson
import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import Response

KEPT = 20_000


class Inbox:
    """What was received, which secrets are known, and how to answer."""

    def __init__(self) -> None:
        self.secrets: list[str] = []
        self.behaviour: dict[str, dict[str, Any]] = {}
        self.received: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.total = 0

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        self.total += 1
        verified_by = [name for name, check in _CHECKS.items() if any(check(s, headers, body) for s in self.secrets)]
        self.received.append(
            {
                "number": self.total,
                "path": path,
                "headers": headers,
                "body": body.decode("utf-8", "replace"),
                "received_at": time.time(),
                "verified": len(verified_by) == len(_CHECKS),
                "verified_by": verified_by,
            }
        )


def _hex_signature_matches(secret: str, headers: dict[str, str], body: bytes) -> bool:
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, headers.get("x-webhook-signature", ""))


def _standard_signature_matches(secret: str, headers: dict[str, str], body: bytes) -> bool:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = secret.encode()
    signed = f"{headers.get('webhook-id', '')}.{headers.get('webhook-timestamp', '')}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(expected, given) for given in headers.get("webhook-signature", "").split())


_CHECKS = {"x-webhook-signature": _hex_signature_matches, "webhook-signature": _standard_signature_matches}


def create_receiver() -> FastAPI:
    app = FastAPI(title="webhook receiver", docs_url=None, redoc_url=None)
    inbox = Inbox()

    @app.get("/livez")
    @app.get("/readyz")
    async def healthy() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/hooks/{rest:path}")
    async def hook(rest: str, request: Request) -> Response:
        path = f"/hooks/{rest}"
        inbox.take(path, dict(request.headers), await request.body())
        told = inbox.behaviour.get(path, {})
        if delay := told.get("delay_ms"):
            await asyncio.sleep(delay / 1000)
        return Response(b"ok", status_code=told.get("status", 200), headers=told.get("headers"))

    @app.post("/_control/secrets")
    async def add_secret(request: Request) -> dict[str, int]:
        secret = (await request.json())["secret"]
        if secret not in inbox.secrets:
            inbox.secrets.append(secret)
        return {"secrets": len(inbox.secrets)}

    @app.post("/_control/behaviour")
    async def behave(request: Request) -> dict[str, Any]:
        told: dict[str, Any] = await request.json()
        inbox.behaviour[told["path"]] = told
        return told

    @app.get("/_control/received")
    async def received(path: str | None = None, limit: int = 100, after: int = 0) -> Response:
        chosen = [item for item in inbox.received if item["number"] > after and path in (None, item["path"])]
        return Response(orjson.dumps({"total": inbox.total, "data": chosen[:limit]}), media_type="application/json")

    @app.delete("/_control/received")
    async def forget() -> dict[str, int]:
        inbox.received.clear()
        return {"forgotten": inbox.total}

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description="A webhook receiver that verifies and keeps what it gets.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    arguments = parser.parse_args()
    uvicorn.run(
        create_receiver(),
        host=arguments.host,
        port=arguments.port,
        loop="uvloop",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
