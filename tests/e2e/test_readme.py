"""What the README shows, run as it stands (ports of the stack under test put in)."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gateway_local.stack import Stack, wait_until

README = Path(__file__).parents[2] / "README.md"
ROOT = README.parent


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)


def shell(stack: Stack, command: str, **environment: str) -> dict[str, Any]:
    moved = command.replace("http://localhost:8000", stack.urls["origin"])
    done = subprocess.run(
        ["sh", "-c", moved], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin", **environment}
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def curl_blocks() -> list[str]:
    return [block for block in blocks("sh") if block.startswith("curl")]


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 200


def test_the_commands_of_the_readme_work_one_after_the_other(stack: Stack) -> None:
    pay, read_all, refund, configure = curl_blocks()
    payment = shell(stack, pay)
    assert payment["id"].startswith("pay_")

    def status() -> str:
        found = next(one for one in shell(stack, read_all)["data"] if one["id"] == payment["id"])
        return str(found["status"])

    wait_until(lambda: status() == "success", what="the first payment's success")
    refunded = shell(stack, refund, PAYMENT_ID=payment["id"])
    assert (refunded["status"], refunded["amount"]) == ("pending", 25_000)
    assert shell(stack, configure)["webhook_url"] == "http://localhost:8090/hooks/mine"
    # The seeded merchant has no webhook address by contract; put it back.
    shell(stack, re.sub(r"'\{.*\}'", "'{\"webhook_url\":null}'", configure))


def test_the_verifying_functions_of_the_readme_are_right() -> None:
    names: dict[str, Any] = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), names)
    key = hmac.new(b"secret", b"checkout-signature", hashlib.sha256).hexdigest()
    signature = hmac.new(key.encode(), b"order_1|pay_1", hashlib.sha256).hexdigest()
    assert names["is_paid"]("order_1", "pay_1", signature, "secret")
    assert not names["is_paid"]("order_1", "pay_2", signature, "secret")
    signed = hmac.new(b"whsec_x", b"{}", hashlib.sha256).hexdigest()
    assert names["is_genuine"](b"{}", signed, "whsec_x")
    assert not names["is_genuine"](b"{} ", signed, "whsec_x")


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text()))))
def test_every_link_of_the_readme_leads_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


@pytest.mark.parametrize("folder", re.findall(r"^\| `([a-z]+/(?:[a-z]+/)?)` \|", README.read_text(), re.MULTILINE))
def test_every_folder_of_the_map_is_there(folder: str) -> None:
    assert (ROOT / folder).is_dir()
