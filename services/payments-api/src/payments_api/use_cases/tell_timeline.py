"""The timeline of a payment: our own part, and the parts of the other services, asked at once (docs/decisions/0006)."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import orjson

from gateway_common.clock import from_iso, to_iso
from gateway_common.database import Row
from gateway_common.errors import NotFoundError
from gateway_common.ids import has_shape
from gateway_common.logs import get_logger
from payments_api.dependencies import Dependencies
from payments_api.repositories import payments

log = get_logger(__name__)

OWN_NAME = "payments-api"
OTHERS_SECONDS = 1.0


async def tell_timeline(using: Dependencies, merchant_id: UUID, payment_id: str) -> dict[str, Any]:
    """The body of `GET /payments/{id}/timeline`. A service that does not answer in time is named in `incomplete`.

    Raises:
        NotFoundError: no such payment of this merchant.
    """
    row = await payments.history(using.database, merchant_id, payment_id) if has_shape(payment_id, "pay_") else None
    if row is None:
        raise NotFoundError("Payment not found")
    others = {
        "processor": using.settings.processor_url,
        "refunds": using.settings.refunds_url,
        "webhooks": using.settings.webhooks_url,
    }
    parts = await asyncio.gather(
        *(_ask(using, service, url, merchant_id, payment_id) for service, url in others.items())
    )
    entries = _own_entries(row)
    for part in parts:
        entries.extend(part or [])
    # A stable sort: what happened in the same millisecond stays in the order in which each service tells it.
    entries.sort(key=lambda entry: from_iso(entry["at"]))
    incomplete = [service for service, part in zip(others, parts, strict=True) if part is None]
    return {"payment_id": payment_id, "entries": entries, "incomplete": incomplete}


async def _ask(
    using: Dependencies, service: str, url: str, merchant_id: UUID, payment_id: str
) -> list[dict[str, Any]] | None:
    try:
        async with asyncio.timeout(OTHERS_SECONDS):
            response = await using.http.get(
                f"{url}/internal/v1/payments/{payment_id}/timeline",
                params={"merchant_id": str(merchant_id)},
                headers=using.tokens.headers(service),
            )
        if response.status_code == 404:
            return []  # it has not heard of the payment (yet)
        response.raise_for_status()
        entries: list[dict[str, Any]] = orjson.loads(response.content)["entries"]
        return [
            {
                "at": to_iso(from_iso(entry["at"])),
                "service": entry.get("service", service),
                "type": entry["type"],
                "description": entry.get("description", ""),
                "request_id": entry.get("request_id") or None,
                "data": entry.get("data") or {},
            }
            for entry in entries
        ]
    except (httpx.HTTPError, TimeoutError, KeyError, ValueError, TypeError) as error:
        log.warning("timeline.part_missing", service=service, error=repr(error))
        return None


def _own_entries(row: Row) -> list[dict[str, Any]]:
    entries = [
        _entry(
            row["created_at"],
            "payment.accepted",
            "The payment was accepted",
            row["request_id"],
            {"method": row["method"], "amount": row["amount"], "currency": row["currency"]},
        )
    ]
    if row["decided_at"] is not None:
        if row["error_reason"] is None and row["error_description"] is None:
            entries.append(_entry(row["decided_at"], "payment.success", "The payment succeeded", row["request_id"], {}))
        else:
            data = {"error_reason": row["error_reason"], "error_description": row["error_description"]}
            entries.append(_entry(row["decided_at"], "payment.failed", "The payment failed", row["request_id"], data))
    if row["captured_at"] is not None:
        asked_by = row["capture_request_id"] or row["request_id"]
        data = {"amount_captured": row["amount_captured"], "automatic": row["capture_request_id"] is None}
        entries.append(_entry(row["captured_at"], "payment.captured", "The payment was captured", asked_by, data))
    if row["cancelled_at"] is not None:
        entries.append(
            _entry(row["cancelled_at"], "payment.cancelled", "The payment was cancelled", row["cancel_request_id"], {})
        )
    return entries


def _entry(at: datetime, type_: str, description: str, request_id: str | None, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": to_iso(at),
        "service": OWN_NAME,
        "type": type_,
        "description": description,
        "request_id": request_id or None,
        "data": data,
    }
