"""Internal: webhook attempts of one payment, for the payment's timeline."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from gateway_common.clock import to_iso
from gateway_common.web.internal import internal_router
from webhooks.endpoints.dependencies import WithParts, get_parts
from webhooks.repositories import log

router = internal_router(lambda request: get_parts(request).tokens)


@router.get("/payments/{payment_id}/timeline")
async def read_timeline(
    payment_id: str,
    parts: WithParts,
    merchant_id: Annotated[UUID, Query()],
) -> dict[str, Any]:
    """`{"entries": [{at, service, type, description, request_id, data}]}`, in order of time."""
    rows = await log.attempts_of_payment(parts.service.database, merchant_id, payment_id)
    return {"entries": [_entry(row) for row in rows]}


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    outcome = "delivered" if row["error"] is None else row["error"]
    return {
        "at": to_iso(row["started_at"]),
        "service": "webhooks",
        "type": "webhook.attempted",
        "description": f"{row['type']}, attempt {row['number']}: {outcome}",
        "request_id": row["request_id"] or None,
        "data": {
            "event": row["type"],
            "event_id": row["event_id"],
            "delivery_id": str(row["delivery_id"]),
            "endpoint_id": row["endpoint_id"],
            "attempt": row["number"],
            "kind": row["kind"],
            "response_code": row["response_code"],
            "error": row["error"],
            "duration_ms": round(row["duration_ms"]),
        },
    }
