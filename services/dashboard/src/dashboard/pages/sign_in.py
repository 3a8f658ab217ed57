"""`/`, `/login`, `/signup`, sign-out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from dashboard.domain.local_paths import HOME, local_path_or_home
from dashboard.errors import FormError, SignInLimitedError
from dashboard.pages.rendering import Pages
from dashboard.pages.visiting import Rendered, Who, address_of, visitor_form
from dashboard.seed import TEST_EMAIL, TEST_PASSWORD
from dashboard.wiring import Wired, Wiring
from gateway_common.errors import GatewayError, NotFoundError, ServiceUnavailableError

router = APIRouter(include_in_schema=False)

Field = Annotated[str, Form(max_length=1000)]


async def _is_signed_in(request: Request, wired: Wiring, pages: Pages) -> bool:
    return await wired.accounts.sessions.find(pages.cookies.session(request)) is not None


@router.get("/")
async def root(request: Request, wired: Wired, pages: Rendered) -> Response:
    return RedirectResponse(HOME if await _is_signed_in(request, wired, pages) else "/login", status_code=303)


@router.get("/login")
async def login_page(request: Request, wired: Wired, pages: Rendered, next: str | None = None) -> Response:  # noqa: A002 - the query's name
    target = local_path_or_home(next)
    if await _is_signed_in(request, wired, pages):
        return RedirectResponse(target, status_code=303)
    return _login(request, wired, pages, target)


@router.post("/login", dependencies=[Depends(visitor_form)])
async def login(
    request: Request,
    wired: Wired,
    pages: Rendered,
    email: Field = "",
    password: Field = "",
    next: Field = "",  # noqa: A002 - the field's name
) -> Response:
    target = local_path_or_home(next)
    try:
        token = await wired.accounts.sign_in(email, password, address_of(request), pages.cookies.session(request))
    except (FormError, SignInLimitedError) as error:
        return _login(request, wired, pages, target, email=email, error=error)
    response = RedirectResponse(target, status_code=303)
    pages.cookies.start_session(response, token)
    return response


@router.get("/signup")
async def sign_up_page(request: Request, wired: Wired, pages: Rendered) -> Response:
    _only_in_test_mode(wired)
    if await _is_signed_in(request, wired, pages):
        return RedirectResponse(HOME, status_code=303)
    return pages.show_to_visitor(request, "signup.html", name="", email="", error=None)


@router.post("/signup", dependencies=[Depends(visitor_form)])
async def sign_up(
    request: Request, wired: Wired, pages: Rendered, name: Field = "", email: Field = "", password: Field = ""
) -> Response:
    _only_in_test_mode(wired)
    try:
        user_id, merchant = await wired.accounts.sign_up(name, email, password)
    except (FormError, ServiceUnavailableError) as error:
        return pages.show_to_visitor(request, "signup.html", status=error.status, name=name, email=email, error=error)
    await wired.accounts.sessions.end(pages.cookies.session(request))
    token = await wired.accounts.sessions.create(user_id)
    who = await wired.accounts.sessions.find(token)
    assert who is not None
    # Rendered here and not after a redirect: the secret exists in this answer only.
    response = await pages.show(request, "new_key.html", who, key=merchant, is_first=True)
    pages.cookies.start_session(response, token)
    return response


@router.post("/logout")
async def logout(who: Who, wired: Wired, pages: Rendered) -> Response:
    await wired.accounts.sessions.end(who.token)
    wired.hub.end_session(who.session_id)
    response = RedirectResponse("/login", status_code=303)
    pages.cookies.end_session(response)
    return response


def _only_in_test_mode(wired: Wiring) -> None:
    if not wired.settings.test_mode:
        raise NotFoundError("Sign-up is open in test mode only")


def _login(
    request: Request, wired: Wiring, pages: Pages, target: str, *, email: str = "", error: GatewayError | None = None
) -> Response:
    sample = {"email": TEST_EMAIL, "password": TEST_PASSWORD} if wired.settings.test_mode else None
    response = pages.show_to_visitor(
        request,
        "login.html",
        status=error.status if error else 200,
        next=target,
        email=email,
        error=error,
        sample=sample,
    )
    if error and error.retry_after_seconds:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response
