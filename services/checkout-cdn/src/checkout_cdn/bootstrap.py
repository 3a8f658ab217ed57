"""Wires the service: reads the files, opens the client, makes the application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI

from checkout_cdn.assets import load_folder, release_of, with_one_style_sheet
from checkout_cdn.endpoints import Site, make_router
from checkout_cdn.orders import TIMEOUT_SECONDS, OrderLookup
from checkout_cdn.pages import CheckoutPage
from checkout_cdn.sdk import make_release
from checkout_cdn.settings import CheckoutSettings
from gateway_common.web.application import create_app
from gateway_common.web.health import Readiness

SERVICE = "checkout-cdn"
WEB_FOLDER = Path(__file__).parent / "web"


def make_app(settings: CheckoutSettings, transport: httpx.AsyncBaseTransport | None = None) -> FastAPI:
    """`transport` stands in for the network in tests.

    There is no readiness check on payments-api: without it the page still says so and waits, and the SDK is
    needed by shops in any case.
    """
    client = httpx.AsyncClient(
        base_url=settings.payments_api_url,
        timeout=TIMEOUT_SECONDS,
        transport=transport,
        limits=httpx.Limits(max_connections=200, max_keepalive_connections=50),
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with client:
            yield

    assets = with_one_style_sheet(load_folder(WEB_FOLDER / "page"), "page.css", first="tokens.css")
    release = release_of(assets)
    template = (WEB_FOLDER / "page" / "index.html").read_text(encoding="utf-8")
    site = Site(
        sdk=make_release(load_folder(WEB_FOLDER / "sdk")["checkout.js"]),
        page=CheckoutPage(template, assets, f"/assets/{release}", settings.public_api_url, settings.upi_payee_vpa),
        assets=assets,
        release=release,
        orders=OrderLookup(client),
        public_api_url=settings.public_api_url,
    )
    return create_app(service=SERVICE, readiness=Readiness(), lifespan=lifespan, routers=[make_router(site)])
