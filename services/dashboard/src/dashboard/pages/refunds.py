"""`/dashboard/refunds`"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from dashboard.errors import ApiRefusalError
from dashboard.pages.filters import ListView
from dashboard.pages.visiting import Rendered, Who
from dashboard.wiring import Wired
from gateway_common.errors import ServiceUnavailableError

router = APIRouter(include_in_schema=False)

STATUSES = ("pending", "processed", "failed")


@router.get("/dashboard/refunds")
async def refunds(request: Request, who: Who, wired: Wired, pages: Rendered) -> Response:
    view = ListView.of(request, ("status", "from", "to"))
    page: dict[str, Any] | None = None
    try:
        page = await wired.refunds.list(who.merchant_id, **view.parameters())
    except (ApiRefusalError, ServiceUnavailableError):
        page = None
    return await pages.show(request, "refunds.html", who, view=view, page=page, statuses=STATUSES)
