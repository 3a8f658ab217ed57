"""One payment from end to end, as a shop and its shopper would make it, and the timeline of what happened."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
from rich.table import Table

from gateway_local import merchants
from gateway_local.credentials import write_private
from gateway_local.installation import Installation
from gateway_local.ports import LOOPBACK
from gateway_local.problems import Problem

HOOK = "/hooks/demo"
AMOUNT = 50_000
PATIENCE_S = 30.0
TERMINAL = ("success", "failed", "cancelled")


def run(installation: Installation, environ: Mapping[str, str]) -> Table:
    """Order, checkout's payment, bank, signed webhook, receiver. Raises Problem if the webhook does not arrive."""
    receiver = httpx.Client(base_url=f"http://{LOOPBACK}:{installation.ports['RECEIVER_PORT']}", timeout=10)
    merchant = _merchant(installation, environ)
    with receiver, merchants.client(installation, merchant) as api:
        _listen(installation, api, receiver)
        order = _expect(api.post("/orders", json={"amount": AMOUNT, "receipt": "demo"}), 201)
        seen = receiver.get("/_control/received", params={"path": HOOK, "limit": 1}).json()["total"]
        payment = _expect(
            api.post(
                "/payments/public",
                json={"order_id": order["id"], "method": "upi", "vpa": "success@upi"},
                # A shopper has no keys; this client's are left out.
                headers={"X-Api-Key": "", "X-Api-Secret": "", "Idempotency-Key": secrets.token_hex(16)},
            ),
            201,
        )
        hook = _wait_for_webhook(receiver, payment["id"], seen)
        payment = _expect(api.get(f"/payments/{payment['id']}"), 200)
        entries = _timeline(api, payment["id"])
    return _table(payment, entries, hook)


def curl_line(urls: Mapping[str, str]) -> str:
    return (
        f'curl -X POST {urls["api"]}/payments -H "X-Api-Key: key_test_abc123" '
        '-H "X-Api-Secret: secret_test_xyz789" -H "Content-Type: application/json" '
        """-d '{"order_id":"order_test_123","method":"upi","vpa":"user@paytm"}'"""
    )


def _merchant(installation: Installation, environ: Mapping[str, str]) -> dict[str, Any]:
    """The demo's own merchant: the seeded one's webhook address is for people to set."""
    kept = installation.layout.run / "demo-merchant.json"
    if kept.exists():
        merchant: dict[str, Any] = json.loads(kept.read_text())
        with merchants.client(installation, merchant) as api:
            if api.get("/merchant").status_code == 200:
                return merchant
    # The address is new each time: the database may be older than the file that was lost.
    email = f"demo-{secrets.token_hex(4)}@example.com"
    merchant = merchants.create(installation, environ, "Demo Merchant", email)
    write_private(kept, json.dumps(merchant))
    return merchant


def _listen(installation: Installation, api: httpx.Client, receiver: httpx.Client) -> None:
    """Points the merchant's webhooks at the built-in receiver, which is told the secret to verify with."""
    url = f"http://{LOOPBACK}:{installation.ports['RECEIVER_PORT']}{HOOK}"
    config = _expect(api.get("/webhooks/config"), 200)
    if config["webhook_url"] != url:
        config = _expect(api.put("/webhooks/config", json={"webhook_url": url}), 200)
    _expect(receiver.post("/_control/secrets", json={"secret": config["webhook_secret"]}), 200)


def _wait_for_webhook(receiver: httpx.Client, payment_id: str, after: int) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer = receiver.get("/_control/received", params={"path": HOOK, "limit": 1000, "after": after}).json()
        for item in answer["data"]:
            body = json.loads(item["body"])
            is_result = body["event"].removeprefix("payment.") in TERMINAL
            if is_result and body["data"]["payment"]["id"] == payment_id:
                found: dict[str, Any] = item | {"event": body["event"]}
                return found
        time.sleep(0.05)
    raise Problem(
        f"The webhook for the demo payment {payment_id} did not arrive within {PATIENCE_S:.0f} s. "
        "./gateway logs webhooks-worker and ./gateway logs processor may tell why."
    )


def _timeline(api: httpx.Client, payment_id: str) -> list[dict[str, Any]]:
    """Waits a moment for the webhook's own entry: the attempt is recorded after the receiver has answered."""
    deadline = time.monotonic() + 3
    while True:
        entries = list(_expect(api.get(f"/payments/{payment_id}/timeline"), 200)["entries"])
        sent = [e for e in entries if e["service"] == "webhooks" and e["type"].startswith("webhook.")]
        if sent or time.monotonic() > deadline:
            return entries
        time.sleep(0.05)


def _table(payment: Mapping[str, Any], entries: list[dict[str, Any]], hook: Mapping[str, Any]) -> Table:
    table = Table(title=f"{payment['id']}: {payment['status']}", title_justify="left", box=None, pad_edge=False)
    for column in ("time", "after", "service", "what"):
        table.add_column(column)
    rows = [(_moment(entry["at"]), str(entry["service"]), _words(entry)) for entry in entries]
    verdict = "signature verified" if hook["verified"] else "[red]signature NOT verified[/]"
    received = datetime.fromtimestamp(hook["received_at"], UTC)
    rows.append((received, "receiver", f"webhook {hook['event']} arrived, {verdict}"))
    start = rows[0][0]
    for at, service, what in rows:
        table.add_row(f"{at:%H:%M:%S.%f}"[:-3], f"+{(at - start).total_seconds():.3f} s", service, what)
    return table


def _words(entry: Mapping[str, Any]) -> str:
    return str(entry.get("description") or entry["type"])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _expect(answer: httpx.Response, status: int) -> dict[str, Any]:
    if answer.status_code != status:
        raise Problem(
            f"The demo stopped: {answer.request.method} {answer.request.url} answered {answer.status_code}: {answer.text}"
        )
    body: dict[str, Any] = answer.json()
    return body
