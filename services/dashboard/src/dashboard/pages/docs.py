"""`/dashboard/docs`: snippets that work as they stand, with the merchant's own key."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from dashboard.pages.overview import credentials
from dashboard.pages.rendering import or_none
from dashboard.pages.visiting import Rendered, Who
from dashboard.wiring import Wired

router = APIRouter(include_in_schema=False)

SECRET_PLACEHOLDER = "your_api_secret"  # noqa: S105 - what stands where the reader puts the secret


@router.get("/dashboard/docs")
async def docs(request: Request, who: Who, wired: Wired, pages: Rendered) -> Response:
    merchant, config = await asyncio.gather(
        or_none(wired.merchants.get(who.merchant_id)), or_none(wired.webhooks.config(who.merchant_id))
    )
    known = credentials(wired, who.merchant_id, merchant) or {"key": None, "secret": None}
    return await pages.show(
        request,
        "docs.html",
        who,
        key=known["key"] or "your_api_key",
        secret=known["secret"] or SECRET_PLACEHOLDER,
        has_secret=known["secret"] is not None,
        webhook_secret=(config or {}).get("webhook_secret") or "your_webhook_secret",
        api=wired.settings.public_api_url.rstrip("/"),
        checkout=wired.settings.checkout_public_url.rstrip("/"),
    )
