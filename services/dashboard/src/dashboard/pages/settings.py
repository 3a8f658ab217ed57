"""`/dashboard/settings`: API keys and the password."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from dashboard.errors import ApiRefusalError, FormError, SignInLimitedError
from dashboard.pages.overview import active_keys, credentials
from dashboard.pages.rendering import or_none
from dashboard.pages.transactions import Attempt
from dashboard.pages.visiting import Rendered, Who, address_of
from dashboard.wiring import Wired

router = APIRouter(include_in_schema=False, prefix="/dashboard/settings")

PATH = "/dashboard/settings"


@router.get("")
async def settings(request: Request, who: Who, wired: Wired, pages: Rendered) -> Response:
    merchant = await or_none(wired.merchants.get(who.merchant_id))
    return await pages.show(
        request,
        "settings.html",
        who,
        merchant=merchant,
        keys=active_keys(merchant),
        credentials=credentials(wired, who.merchant_id, merchant),
    )


@router.post("/keys")
async def create_key(request: Request, who: Who, wired: Wired, pages: Rendered, attempt: Attempt) -> Response:
    """Rendered here and not after a redirect: the secret exists in this answer only."""
    key = await wired.merchants.create_key(who.merchant_id, f"dashboard-{attempt}")
    return await pages.show(request, "new_key.html", who, key=key, is_first=False)


@router.post("/keys/{key_id}/revoke")
async def revoke_key(
    key_id: str,
    who: Who,
    wired: Wired,
    pages: Rendered,
    after_hours: Annotated[Literal["0", "1", "24"], Form()] = "0",
) -> Response:
    try:
        await wired.merchants.revoke_key(who.merchant_id, key_id, int(after_hours))
    except ApiRefusalError as error:
        return pages.go(PATH, error.description, "bad")
    text = "The key is revoked and stops working within 5 seconds."
    if after_hours != "0":
        text = f"The key stops working in {after_hours} hour{'' if after_hours == '1' else 's'}."
    return pages.go(PATH, text)


@router.post("/password")
async def change_password(
    request: Request,
    who: Who,
    wired: Wired,
    pages: Rendered,
    current: Annotated[str, Form(max_length=1000)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    try:
        token, ended = await wired.accounts.change_password(who, current, password, address_of(request))
    except (FormError, SignInLimitedError) as error:
        return pages.go(PATH, error.description, "bad")
    for session_id in ended:
        wired.hub.end_session(session_id)
    response = pages.go(PATH, "The password is changed. All other sessions were signed out.")
    pages.cookies.start_session(response, token)
    return response
