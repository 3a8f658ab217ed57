"""Who is asking, and whether a form is ours: the dependencies of the pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from dashboard.accounts.form_tokens import FIELD, HEADER, refuse_foreign_origin
from dashboard.accounts.sessions import SignedIn
from dashboard.errors import NotSignedInError
from dashboard.pages.rendering import Pages
from dashboard.wiring import Wired

_SAFE = {"GET", "HEAD"}
# Set by the page's own script when it reads itself again; nobody is necessarily sitting there.
LIVE_HEADER = "x-live-refresh"


def _pages_of(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


Rendered = Annotated[Pages, Depends(_pages_of)]


async def _offered_token(request: Request) -> str | None:
    if (offered := request.headers.get(HEADER)) is not None:
        return offered
    found = (await request.form()).get(FIELD)
    return found if isinstance(found, str) else None


async def signed_in(request: Request, wired: Wired, pages: Rendered) -> SignedIn:
    """The session of the request; what changes something must also carry its form token.

    Raises:
        NotSignedInError: no session.
        ForgedFormError: another site's form, or one of another session.
    """
    token = pages.cookies.session(request)
    who = await wired.accounts.sessions.find(token, is_activity=LIVE_HEADER not in request.headers)
    if who is None:
        raise NotSignedInError
    if request.method not in _SAFE:
        refuse_foreign_origin(request)
        wired.form_tokens.check(who.token, await _offered_token(request))
    return who


async def visitor_form(request: Request, wired: Wired, pages: Rendered) -> None:
    """For the forms before sign-in. Raises `ForgedFormError`."""
    refuse_foreign_origin(request)
    wired.form_tokens.check(pages.cookies.visitor(request), await _offered_token(request))


Who = Annotated[SignedIn, Depends(signed_in)]


def address_of(request: Request) -> str:
    """The peer's address. Headers are not believed: whoever runs a proxy in front limits there."""
    return request.client.host if request.client else "unknown"
