"""A thousand made-up payloads, from the rendered body through both signatures to a Node server that re-serialises."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import razorpay
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from gateway_common.auth.secrets import new_webhook_secret
from gateway_local import packages
from webhooks.domain.event_bodies import render_body
from webhooks.domain.signing import request_headers

SECRET = new_webhook_secret()
JAVASCRIPT = Path(__file__).parents[1] / "javascript"
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
KEYS = TEXTS | st.integers(0, 2**33).map(str) | st.sampled_from(["__proto__", "constructor", "01", "-1", "1e3", ""])
VALUES = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=10,
)
NOTES = st.dictionaries(KEYS, VALUES, max_size=8)


class NodeServer:
    """A merchant's server in Node that checks one webhook per line (tests/javascript/check.mjs)."""

    def __init__(self, folder: Path) -> None:
        node = shutil.which("node") or shutil.which("nodejs")
        assert node is not None
        self.process = subprocess.Popen(
            [node, "check.mjs"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def check(self, headers: dict[str, str], body: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        lowered = {name.lower(): value for name, value in headers.items()}
        self.process.stdin.write(json.dumps({"secret": SECRET, "headers": lowered, "body": body}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeServer]:
    packages.ensure({"nodejs": lambda: bool(shutil.which("node") or shutil.which("nodejs"))})
    folder = tmp_path_factory.mktemp("node")
    for name in ("check.mjs", "package.json", "package-lock.json", ".npmrc"):
        shutil.copy(JAVASCRIPT / name, folder)
    npm = shutil.which("npm")
    if npm is not None:  # without it the package is left out, and check.mjs says so
        subprocess.run([npm, "ci"], cwd=folder, capture_output=True, check=False, timeout=60)
    server = NodeServer(folder)
    yield server
    assert server.process.stdin is not None
    assert server.process.stdout is not None
    server.process.stdin.close()
    server.process.wait(5)
    server.process.stdout.close()


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(notes=NOTES, sequence=st.integers(1, 1000))
def test_every_library_accepts_every_payload(node: NodeServer, notes: dict[str, Any], sequence: int) -> None:
    payment = {"id": "pay_0123456789abcdef", "amount": 50_000, "vpa": None, "captured": False, "notes": notes}
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    body = render_body("payment.success", moment, {"payment": payment}, "evt_0123456789abcdef", sequence)
    raw = body.encode()
    headers = request_headers(
        [SECRET],
        event_id="evt_0123456789abcdef",
        event_type="payment.success",
        attempt=1,
        timestamp=int(time.time()),
        body=raw,
        user_agent="test",
    )
    Webhook(SECRET).verify(raw, headers)
    razorpay.Utility().verify_webhook_signature(body, headers["X-Webhook-Signature"], SECRET)
    answer = node.check(headers, body)
    assert answer["same"], body
    assert answer["hex"]
    assert answer["standard"] in (True, None)
