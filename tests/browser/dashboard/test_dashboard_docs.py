"""The snippets of the docs page run as they stand, with the key that the page fills in."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from html import unescape
from pathlib import Path

import httpx
import pytest

from gateway_local.stack import Stack

_RUN = {"curl": ["bash"], "python": ["python3"], "javascript": ["node", "--input-type=module"]}


@pytest.fixture(scope="module")
def docs(stack: Stack) -> str:
    """The page as the test merchant sees it: its secret is public, so the snippets are whole."""
    with httpx.Client(base_url=stack.urls["dashboard"], headers={"Accept": "text/html"}) as site:
        token = re.search(r'name="csrf_token" value="(\w+)"', site.get("/login").text)
        assert token
        site.post(
            "/login",
            data={"csrf_token": token[1], "email": "test@example.com", "password": "test_password_123"},
        )
        return site.get("/dashboard/docs").text


def _snippet(docs: str, section: str, language: str) -> str:
    found = re.search(rf'<code id="{section}-{language}-code">(.*?)</code>', docs, re.DOTALL)
    assert found
    return unescape(found[1])


def _run(language: str, text: str) -> str:
    if shutil.which(_RUN[language][0]) is None:
        pytest.fail(f"{_RUN[language][0]} is needed to run the snippets")
    done = subprocess.run(_RUN[language], input=text, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("language", _RUN)
def test_orders_are_created(docs: str, language: str) -> None:
    assert re.search(r"order_[A-Za-z0-9]{16}", _run(language, _snippet(docs, "create", language)))


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_made_up_checkout_results_are_refused(docs: str, language: str) -> None:
    assert _run(language, _snippet(docs, "sdk", language)).strip().lower() == "false"


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_receivers_verify(docs: str, language: str, tmp_path: Path) -> None:
    """The receiver on a free port, and the curl snippet sent to it, right and tampered with."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = _snippet(docs, "webhook", language).replace("4000", str(port))
    script = tmp_path / ("receiver.py" if language == "python" else "receiver.mjs")
    script.write_text(text)
    receiver = subprocess.Popen([_RUN[language][0], str(script)], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("localhost", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        call = _snippet(docs, "webhook", "curl").replace("4000", str(port))
        assert " 200 " in _run("curl", call).splitlines()[0]
        assert " 400 " in _run("curl", call.replace('-d "$BODY"', '-d "$BODY "')).splitlines()[0]
    finally:
        receiver.kill()
        receiver.wait()
