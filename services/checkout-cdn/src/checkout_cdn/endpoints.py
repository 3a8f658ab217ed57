"""The SDK, the checkout page and its files."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from checkout_cdn.assets import IMMUTABLE, Asset, accepts_gzip, answer
from checkout_cdn.orders import NoOrder, OrderLookup, PublicOrder
from checkout_cdn.pages import CheckoutPage
from checkout_cdn.policies import page_headers
from checkout_cdn.sdk import SdkRelease
from gateway_common.errors import NotFoundError

# Shops pick up a mended SDK within minutes, and a page load never waits for the check.
SDK_CACHE = "public, max-age=300, stale-while-revalidate=86400"
# Read from any shop's page, also by its own scripts (SRI needs CORS, timing needs leave).
_FOR_EVERY_SITE = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Timing-Allow-Origin": "*",
}
_FOR_OUR_PAGE = {"Cross-Origin-Resource-Policy": "same-origin"}
_STATUS = {"not_found": 404, "unavailable": 503}
_READ = ["GET", "HEAD"]


@dataclass(frozen=True)
class Site:
    """Everything that is served, made once at start."""

    sdk: SdkRelease
    page: CheckoutPage
    assets: Mapping[str, Asset]
    release: str
    orders: OrderLookup
    public_api_url: str


def make_router(site: Site) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.api_route("/checkout.js", methods=_READ)
    async def sdk(request: Request) -> Response:
        return answer(request, site.sdk.script, SDK_CACHE, _FOR_EVERY_SITE)

    @router.api_route("/checkout.{digest}.js", methods=_READ)
    async def pinned_sdk(request: Request, digest: str) -> Response:
        if f"checkout.{digest}.js" != site.sdk.name:
            raise NotFoundError("This release of the SDK is not served here; see /sdk.json")
        return answer(request, site.sdk.script, IMMUTABLE, _FOR_EVERY_SITE)

    @router.api_route("/sdk.json", methods=_READ)
    async def sdk_manifest(request: Request) -> Response:
        return answer(request, site.sdk.manifest, "public, max-age=300", _FOR_EVERY_SITE)

    @router.api_route("/assets/{release}/{name}", methods=_READ)
    async def asset(request: Request, release: str, name: str) -> Response:
        """A page from another release (a deployment under way) gets today's file, but may not keep it."""
        if (found := site.assets.get(name)) is None:
            raise NotFoundError
        return answer(request, found, IMMUTABLE if release == site.release else "no-store", _FOR_OUR_PAGE)

    @router.api_route("/checkout", methods=_READ)
    async def checkout(request: Request, order_id: Annotated[str, Query()] = "") -> Response:
        order = await site.orders.find(order_id, request.client.host if request.client else None)
        return _page_response(request, site, order)

    return router


def _page_response(request: Request, site: Site, order: PublicOrder | NoOrder) -> Response:
    body = site.page.render(order).encode()
    headers = page_headers(order, site.public_api_url)
    status = _STATUS[order.reason] if isinstance(order, NoOrder) else 200
    if status == 503:
        headers["Retry-After"] = "2"
    if accepts_gzip(request):
        body = gzip.compress(body, 5)
        headers["Content-Encoding"] = "gzip"
    return Response(body, status_code=status, headers=headers, media_type="text/html")
