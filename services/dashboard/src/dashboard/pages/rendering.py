"""Templates, and what every page has: the menu, the merchant's name, the form token, the notice."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboard.accounts.sessions import SignedIn
from dashboard.domain.amounts import decimal_amount, format_amount, format_percent, group_indian
from dashboard.pages.assets import Assets
from dashboard.pages.cookies import Cookies, Tone
from dashboard.wiring import Wiring
from gateway_common import context
from gateway_common.clock import from_iso, to_iso
from gateway_common.errors import GatewayError, NotFoundError

T = TypeVar("T")

MENU = (
    ("/dashboard", "Overview", "gauge"),
    ("/dashboard/transactions", "Transactions", "swap"),
    ("/dashboard/refunds", "Refunds", "undo"),
    ("/dashboard/orders", "Orders", "bag"),
    ("/dashboard/webhooks", "Webhooks", "bolt"),
    ("/dashboard/inspector", "Inspector", "eye"),
    ("/dashboard/store", "Demo Store", "store"),
    ("/dashboard/docs", "Docs", "book"),
    ("/dashboard/settings", "Settings", "key"),
)


def moment(value: str | datetime | None, style: str = "full") -> Markup:
    """A `<time>`: UTC from the server, which static/times.js turns into the viewer's zone. `style`: full, time."""
    if value is None:
        return Markup('<span class="muted">–</span>')
    when = from_iso(value) if isinstance(value, str) else value
    shown = when.strftime("%H:%M:%S" if style == "time" else "%d %b %Y, %H:%M:%S")
    utc = f"{when:%d %b %Y, %H:%M:%S}.{when.microsecond // 1000:03d} UTC"
    return Markup('<time datetime="{}" title="{}" data-style="{}">{} UTC</time>').format(
        to_iso(when), utc, style, shown
    )


def gap(earlier: str, later: str) -> str:
    """How long between two moments: `68 ms`, `1.25 s`, `4 min`."""
    seconds = max((from_iso(later) - from_iso(earlier)).total_seconds(), 0.0)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


async def or_none(work: Awaitable[T]) -> T | None:
    """A part of a page whose service is away is left out and says so; the rest of the page stands."""
    try:
        return await work
    except NotFoundError:
        raise
    except GatewayError:
        return None


class Pages:
    """Renders templates to responses."""

    def __init__(self, wiring: Wiring, assets: Assets, cookies: Cookies) -> None:
        self._wiring = wiring
        self.cookies = cookies
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "amount": format_amount,
            "decimal_amount": decimal_amount,
            "grouped": group_indian,
            "percent": format_percent,
            "moment": moment,
        }
        self._environment.globals |= {
            "asset": assets.url,
            "menu": MENU,
            "nonce": lambda: secrets.token_hex(16),
            "query": lambda **values: urlencode({name: v for name, v in values.items() if v not in (None, "")}),
            "settings": wiring.settings,
            "gap": gap,
        }

    async def show(
        self,
        request: Request,
        template: str,
        who: SignedIn,
        *,
        status: int = 200,
        policy: str | None = None,
        **data: Any,
    ) -> Response:
        """A page of the signed-in merchant."""
        merchant_name = await or_none(self._wiring.merchants.name(who.merchant_id))
        response = HTMLResponse(status_code=status)
        if policy is not None:
            response.headers["Content-Security-Policy"] = policy
        return self._fill(
            request,
            response,
            template,
            who=who,
            merchant_name=merchant_name or who.email,
            csrf_token=self._wiring.form_tokens.token_for(who.token),
            **data,
        )

    def show_to_visitor(self, request: Request, template: str, *, status: int = 200, **data: Any) -> Response:
        """A page before sign-in."""
        response = HTMLResponse(status_code=status)
        visitor = self.cookies.start_visit(response, request)
        return self._fill(
            request, response, template, who=None, csrf_token=self._wiring.form_tokens.token_for(visitor), **data
        )

    def show_failure(self, request: Request, status: int, title: str, text: str) -> Response:
        """Says what is wrong without knowing who asks."""
        return self._fill(
            request,
            HTMLResponse(status_code=status),
            "failure.html",
            who=None,
            csrf_token="",
            status=status,
            title=title,
            text=text,
            request_id=context.request_id.get(),
        )

    def go(self, path: str, notice: str | None = None, tone: Tone = "good") -> Response:
        """Lead on after a form (303), with a notice for the page that follows."""
        response = RedirectResponse(path, status_code=303)
        if notice is not None:
            self.cookies.leave_notice(response, notice, tone)
        return response

    def _fill(self, request: Request, response: HTMLResponse, template: str, **data: Any) -> Response:
        notice = None if "x-live-refresh" in request.headers else self.cookies.take_notice(request, response)
        text = self._environment.get_template(template).render(path=request.url.path, notice=notice, **data)
        response.body = text.encode()
        response.headers["content-length"] = str(len(response.body))
        return response
