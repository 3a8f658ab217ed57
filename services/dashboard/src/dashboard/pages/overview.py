"""`/dashboard`: the figures, the charts, the workers, the credentials."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from dashboard.domain.charts import PERIODS, Chart, Period, draw, fill_buckets
from dashboard.pages.rendering import or_none
from dashboard.pages.visiting import Rendered, Who
from dashboard.seed import TEST_API_KEY, TEST_API_SECRET, TEST_MERCHANT_ID
from dashboard.wiring import Wired, Wiring
from gateway_common.auth.secrets import checkout_signing_key
from gateway_common.clock import to_iso

router = APIRouter(include_in_schema=False)

_NEWEST = 6


@router.get("/dashboard")
async def overview(request: Request, who: Who, wired: Wired, pages: Rendered, period: str = "7d") -> Response:
    chosen = PERIODS.get(period, PERIODS["7d"])
    summary, hours, merchant, newest, workers = await asyncio.gather(
        or_none(wired.payments.summary(who.merchant_id, interval="day")),
        or_none(_hours(wired, who.merchant_id, chosen)),
        or_none(wired.merchants.get(who.merchant_id)),
        or_none(wired.payments.list(who.merchant_id, limit=_NEWEST)),
        wired.workers.status(),
    )
    return await pages.show(
        request,
        "overview.html",
        who,
        summary=summary,
        chart=_chart(wired, chosen, summary if chosen.interval == "day" else hours),
        period=chosen,
        periods=list(PERIODS.values()),
        credentials=credentials(wired, who.merchant_id, merchant),
        newest=newest,
        workers=workers,
    )


async def _hours(wired: Wiring, merchant_id: UUID, period: Period) -> dict[str, Any] | None:
    """By the hour, for a period that needs it; days come with the figures, in the same answer."""
    if period.interval != "hour":
        return None
    since = period.starts(wired.clock.now())[0]
    return await wired.payments.summary(merchant_id, created_gte=to_iso(since), interval="hour")


def _chart(wired: Wiring, period: Period, found: dict[str, Any] | None) -> Chart | None:
    return None if found is None else draw(fill_buckets(period, wired.clock.now(), found["series"]))


def active_keys(merchant: dict[str, Any] | None) -> list[dict[str, Any]]:
    return list((merchant or {}).get("keys") or [])


def credentials(wired: Wiring, merchant_id: UUID, merchant: dict[str, Any] | None) -> dict[str, str | None] | None:
    """`{key, secret, signing_key}`; the secret only where it is public sample data. None when keys cannot be read."""
    if merchant is None:
        return None
    keys = [str(one["api_key"]) for one in active_keys(merchant)]
    if wired.settings.test_mode and merchant_id == TEST_MERCHANT_ID and TEST_API_KEY in keys:
        return {
            "key": TEST_API_KEY,
            "secret": TEST_API_SECRET,
            "signing_key": checkout_signing_key(TEST_API_SECRET),
        }
    return {"key": keys[0] if keys else None, "secret": None, "signing_key": None}
