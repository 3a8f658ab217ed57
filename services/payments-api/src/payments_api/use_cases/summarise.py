"""Counts and sums of a merchant's payments over a period, from the hourly rollups."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from gateway_common.clock import to_iso
from payments_api.dependencies import Dependencies
from payments_api.repositories import rollups

_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
_FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_SUMMED = ("success_count", "failed_count", "cancelled_count", "amount", "amount_refunded")


async def summarise(
    using: Dependencies, merchant_id: UUID, since: datetime | None, until: datetime | None, interval: str
) -> dict[str, Any]:
    """The body of `GET /payments/summary`. Rollups are hourly, so the period's ends are taken by the hour."""
    since = (since or _ALWAYS).replace(minute=0, second=0, microsecond=0)
    until = until or _FOR_EVER
    rows = await rollups.read(using.database, merchant_id, since, until, interval)
    waiting = {
        row["at"]: row["count"] for row in await rollups.pending(using.database, merchant_id, since, until, interval)
    }
    totals = {name: sum(row[name] for row in rows) for name in _SUMMED}
    pending = sum(waiting.values())
    decided = {row["at"]: row for row in rows}
    verdicts = totals["success_count"] + totals["failed_count"]
    return {
        "totals": {
            "count": verdicts + totals["cancelled_count"] + pending,
            "success_count": totals["success_count"],
            "failed_count": totals["failed_count"],
            "pending_count": pending,
            "cancelled_count": totals["cancelled_count"],
            "amount": totals["amount"],
            "amount_refunded": totals["amount_refunded"],
        },
        "success_rate": totals["success_count"] / verdicts if verdicts else None,
        "series": [_point(at, decided.get(at), waiting.get(at, 0)) for at in sorted({*decided, *waiting})],
    }


def _point(at: datetime, row: Any, pending: int) -> dict[str, Any]:
    success, failed, cancelled, amount = (
        (0, 0, 0, 0)
        if row is None
        else (row["success_count"], row["failed_count"], row["cancelled_count"], row["amount"])
    )
    return {
        "at": to_iso(at),
        "count": success + failed + cancelled + pending,
        "success_count": success,
        "failed_count": failed,
        "amount": amount,
    }
