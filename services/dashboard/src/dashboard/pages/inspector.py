"""`/dashboard/inspector`: what the merchant's own receiver got, and how it answers."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from dashboard.errors import ApiRefusalError
from dashboard.inspector.repository import KEPT
from dashboard.pages.visiting import Rendered, Who
from dashboard.wiring import Wired

router = APIRouter(include_in_schema=False, prefix="/dashboard/inspector")

PATH = "/dashboard/inspector"
ANSWERS = {
    "200": "200 OK",
    "400": "400 Bad Request",
    "410": "410 Gone (stops all attempts)",
    "429": "429 Too Many Requests",
    "500": "500 Internal Server Error",
    "503": "503 Service Unavailable",
}
# The sender gives up after 5 s, so 6 s is an answer that never comes.
DELAYS = {"0": "at once", "1000": "after 1 second", "3000": "after 3 seconds", "6000": "after 6 seconds (times out)"}


@router.get("")
async def inspector(request: Request, who: Who, wired: Wired, pages: Rendered) -> Response:
    mine = await wired.inspections.inspector_of(who.merchant_id)
    return await pages.show(
        request,
        "inspector.html",
        who,
        inspector=mine,
        url=f"{wired.settings.inspector_origin}/inspector/{mine.token}",
        received=await wired.inspections.newest(who.merchant_id),
        kept=KEPT,
        answers=ANSWERS,
        delays=DELAYS,
    )


@router.post("/behaviour")
async def behave(
    who: Who,
    wired: Wired,
    pages: Rendered,
    answer: Annotated[Literal["200", "400", "410", "429", "500", "503"], Form()],
    delay: Annotated[Literal["0", "1000", "3000", "6000"], Form()],
) -> Response:
    await wired.inspections.inspector_of(who.merchant_id)
    await wired.inspections.behave(who.merchant_id, int(answer), int(delay))
    return pages.go(PATH, f"The inspector now answers {ANSWERS[answer]}, {DELAYS[delay]}.")


@router.post("/use")
async def use(who: Who, wired: Wired, pages: Rendered) -> Response:
    mine = await wired.inspections.inspector_of(who.merchant_id)
    try:
        await wired.webhooks.set_url(who.merchant_id, f"{wired.settings.inspector_origin}/inspector/{mine.token}")
    except ApiRefusalError as error:
        return pages.go(PATH, error.description, "bad")
    return pages.go(PATH, "Your webhooks now come here.")


@router.post("/clear")
async def clear(who: Who, wired: Wired, pages: Rendered) -> Response:
    await wired.inspections.clear(who.merchant_id)
    return pages.go(PATH, "The list is empty.")
