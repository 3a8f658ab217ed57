"""`/dashboard/webhooks`: where webhooks go, their secret, the log, one delivery, sending again."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from dashboard.errors import ApiRefusalError
from dashboard.pages.rendering import or_none
from dashboard.pages.visiting import Rendered, Who
from dashboard.wiring import Wired

router = APIRouter(include_in_schema=False, prefix="/dashboard/webhooks")

PATH = "/dashboard/webhooks"
PAGE_SIZE = 25
STATUSES = ("pending", "success", "failed", "skipped", "cancelled")
EVENTS = (
    "payment.created", "payment.pending", "payment.success", "payment.failed", "payment.captured",
    "payment.cancelled", "refund.created", "refund.processed", "refund.failed", "webhook.test",
)  # fmt: skip


@router.get("")
async def webhooks(
    request: Request, who: Who, wired: Wired, pages: Rendered, status: str = "", event: str = "", page: int = 1
) -> Response:
    page = min(max(page, 1), 10_000)
    chosen = {"status": status if status in STATUSES else "", "event": event if event in EVENTS else ""}
    config, endpoints, log, inspector = await asyncio.gather(
        or_none(wired.webhooks.config(who.merchant_id)),
        or_none(wired.webhooks.endpoints(who.merchant_id)),
        or_none(wired.webhooks.deliveries(who.merchant_id, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE, **chosen)),
        wired.inspections.inspector_of(who.merchant_id),
    )
    return await pages.show(
        request,
        "webhooks.html",
        who,
        config=config,
        endpoints=endpoints,
        log=log,
        chosen=chosen,
        page=page,
        page_size=PAGE_SIZE,
        statuses=STATUSES,
        events=EVENTS,
        inspector_url=f"{wired.settings.inspector_origin}/inspector/{inspector.token}",
    )


@router.post("/config")
async def save_config(
    who: Who, wired: Wired, pages: Rendered, webhook_url: Annotated[str, Form(max_length=2048)] = ""
) -> Response:
    try:
        await wired.webhooks.set_url(who.merchant_id, webhook_url.strip() or None)
    except ApiRefusalError as error:
        return pages.go(PATH, error.description, "bad")
    text = "Webhooks go to the new address." if webhook_url.strip() else "Webhooks are off: no address is set."
    return pages.go(PATH, text)


@router.post("/secret")
async def regenerate_secret(who: Who, wired: Wired, pages: Rendered) -> Response:
    await wired.webhooks.regenerate_secret(who.merchant_id)
    wired.secrets_in_use.forget(who.merchant_id)
    return pages.go(PATH, "There is a new secret. The old one keeps signing too for 24 hours.")


@router.post("/test")
async def send_test(who: Who, wired: Wired, pages: Rendered) -> Response:
    try:
        await wired.webhooks.send_test(who.merchant_id)
    except ApiRefusalError as error:
        return pages.go(PATH, error.description, "bad")
    return pages.go(PATH, "A test event is on its way; it appears in the log below.")


@router.get("/deliveries/{delivery_id}")
async def delivery(delivery_id: UUID, request: Request, who: Who, wired: Wired, pages: Rendered) -> Response:
    found = await wired.webhooks.delivery(who.merchant_id, str(delivery_id))
    return await pages.show(
        request, "delivery.html", who, delivery=found, payload=orjson.dumps(found["payload"]).decode()
    )


@router.post("/deliveries/{delivery_id}/retry")
async def retry(
    delivery_id: UUID, who: Who, wired: Wired, pages: Rendered, back: Annotated[str, Form()] = ""
) -> Response:
    path = f"{PATH}/deliveries/{delivery_id}" if back == "delivery" else PATH
    try:
        await wired.webhooks.retry(who.merchant_id, str(delivery_id))
    except ApiRefusalError as error:
        return pages.go(path, error.description, "bad")
    return pages.go(path, "The webhook is sent again; its attempts start over.")


@router.post("/endpoints")
async def add_endpoint(
    request: Request,
    who: Who,
    wired: Wired,
    pages: Rendered,
    url: Annotated[str, Form(max_length=2048)] = "",
    description: Annotated[str, Form(max_length=255)] = "",
) -> Response:
    chosen = [str(one) for one in (await request.form()).getlist("events") if one in EVENTS]
    body: dict[str, Any] = {"url": url.strip(), "description": description.strip() or None}
    if chosen:
        body["events"] = chosen
    try:
        await wired.webhooks.add_endpoint(who.merchant_id, body)
    except ApiRefusalError as error:
        return pages.go(PATH, error.description, "bad")
    wired.secrets_in_use.forget(who.merchant_id)
    return pages.go(PATH, "The endpoint is added.")


@router.get("/endpoints/{endpoint_id}")
async def endpoint(endpoint_id: str, request: Request, who: Who, wired: Wired, pages: Rendered) -> Response:
    found = await wired.webhooks.endpoint(who.merchant_id, endpoint_id)
    return await pages.show(request, "endpoint.html", who, endpoint=found)


@router.post("/endpoints/{endpoint_id}")
async def change_endpoint(
    endpoint_id: str, who: Who, wired: Wired, pages: Rendered, enabled: Annotated[str, Form(pattern="^(yes|no)$")]
) -> Response:
    try:
        await wired.webhooks.change_endpoint(who.merchant_id, endpoint_id, {"enabled": enabled == "yes"})
    except ApiRefusalError as error:
        return pages.go(PATH, error.description, "bad")
    return pages.go(PATH, f"The endpoint is {'on' if enabled == 'yes' else 'off'}.")


@router.post("/endpoints/{endpoint_id}/secret")
async def regenerate_endpoint_secret(endpoint_id: str, who: Who, wired: Wired, pages: Rendered) -> Response:
    await wired.webhooks.regenerate_endpoint_secret(who.merchant_id, endpoint_id)
    wired.secrets_in_use.forget(who.merchant_id)
    return pages.go(
        f"{PATH}/endpoints/{endpoint_id}", "There is a new secret. The old one keeps signing too for 24 hours."
    )


@router.post("/endpoints/{endpoint_id}/delete")
async def delete_endpoint(endpoint_id: str, who: Who, wired: Wired, pages: Rendered) -> Response:
    try:
        await wired.webhooks.delete_endpoint(who.merchant_id, endpoint_id)
    except ApiRefusalError as error:
        return pages.go(PATH, error.description, "bad")
    return pages.go(PATH, "The endpoint is deleted; what was waiting for it is not sent.")
