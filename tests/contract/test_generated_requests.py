"""Thousands of requests generated from the OpenAPI document: no 5xx, no undocumented status, no answer off its schema.

`GENERATED_EXAMPLES=100` makes 5,000 cases and more; the default makes fewer, to keep `./gateway test` short.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

from gateway_local import merchants
from gateway_local.stack import Stack

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "docs/openapi/openapi.json"
EXAMPLES = os.environ.get("GENERATED_EXAMPLES", "5")


def test_generated_requests(stack: Stack, tmp_path: Path) -> None:
    merchant = merchants.create(
        stack.installation, os.environ, "Generated requests", f"{secrets.token_hex(6)}@example.com"
    )
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "--config-file", str(HERE / "schemathesis.toml"),
        "run", str(DOCUMENT),
        "--url", stack.urls["origin"].replace("localhost", "127.0.0.1"),
        "--auth", f"{merchant['api_key']}:{merchant['api_secret']}",
        "--checks", "all",
        "--phases", "examples,coverage,fuzzing,stateful",
        "--max-examples", EXAMPLES,
        "--continue-on-failure",
        "--warnings", "off",
        "--request-timeout", "40",  # a long poll may last 25 s
        "--workers", "2",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=1200)
    print(done.stdout[-1500:])  # how many cases there were, for who runs it with -s
    assert done.returncode == 0, done.stdout[-15_000:] + done.stderr[-2000:]
