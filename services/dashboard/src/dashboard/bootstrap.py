"""Wires the service: connections, use cases, pages, background loops."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI

from dashboard import draining
from dashboard.accounts.form_tokens import FormTokens
from dashboard.accounts.limiter import SignInLimiter
from dashboard.accounts.passwords import Passwords
from dashboard.accounts.sessions import Sessions
from dashboard.accounts.signing_in import Accounts
from dashboard.accounts.users import Users
from dashboard.gateway.client import PAYMENTS_API, REFUNDS, WEBHOOKS, GatewayClient
from dashboard.gateway.merchants import Merchants
from dashboard.gateway.payments import Payments, Refunds
from dashboard.gateway.webhooks import Webhooks
from dashboard.gateway.workers import Workers
from dashboard.inspector import receiving
from dashboard.inspector.repository import Inspections
from dashboard.inspector.secrets_in_use import SecretsInUse
from dashboard.live import polls
from dashboard.live.feed import LiveFeed
from dashboard.live.hub import Hub
from dashboard.pages import (
    assets,
    docs,
    failures,
    inspector,
    live,
    orders,
    overview,
    refunds,
    replays,
    sign_in,
    store,
    transactions,
    webhooks,
)
from dashboard.pages import settings as settings_page
from dashboard.pages.cookies import Cookies
from dashboard.pages.rendering import Pages
from dashboard.pages.security_headers import SecurityHeaders, default_headers
from dashboard.settings import Settings
from dashboard.wiring import Wiring
from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.clock import Clock, SystemClock
from gateway_common.database import Database
from gateway_common.tasks import BackgroundTasks
from gateway_common.web.application import create_app
from gateway_common.web.health import Readiness

SERVICE = "dashboard"
MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

_HOUSEKEEPING_SECONDS = 300.0


def build_app(
    settings: Settings, *, clock: Clock | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> FastAPI:
    """`transport` stands in for the other services in tests. Changes reach the windows by broker; a broker that is
    away makes nothing unready, the pages are read from the APIs."""
    clock = clock or SystemClock()
    readiness = Readiness()
    files = assets.Assets()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = await Database.connect(
            settings.database_url.get_secret_value(), max_size=settings.database_pool_size
        )
        readiness.add("database", database.is_reachable)
        tokens = InternalTokens(settings.internal_token_secret.get_secret_value(), SERVICE, clock)
        urls = {PAYMENTS_API: settings.payments_api_url, REFUNDS: settings.refunds_url, WEBHOOKS: settings.webhooks_url}
        client = GatewayClient(urls, tokens, transport)
        wiring = _wire(settings, clock, database, client)
        app.state.wiring = wiring
        cookies = Cookies(is_secure=settings.is_secure, tokens=wiring.form_tokens)
        app.state.pages = Pages(wiring, files, cookies)
        tasks = BackgroundTasks()
        _start(tasks, settings, wiring)

        def drain() -> None:
            readiness.is_draining = True
            wiring.hub.drain()

        with draining.on_stop_signal(drain):
            yield
        drain()
        await tasks.stop()
        await client.close()
        await database.close()

    routers = [
        assets.make_router(files), sign_in.router, overview.router, transactions.router, refunds.router, orders.router,
        webhooks.router, replays.router, inspector.router, store.router, docs.router, settings_page.router, live.router,
        receiving.router,
    ]  # fmt: skip
    app = create_app(service=SERVICE, readiness=readiness, lifespan=lifespan, routers=routers)
    failures.install(app)
    app.add_middleware(SecurityHeaders, headers=default_headers(is_secure=settings.is_secure))
    return app


def _wire(settings: Settings, clock: Clock, database: Database, client: GatewayClient) -> Wiring:
    merchants = Merchants(client)
    payments = Payments(client)
    hooks = Webhooks(client)
    sessions = Sessions(database, clock, idle=settings.session_idle, lifetime=settings.session_lifetime)
    accounts = Accounts(Users(database), Passwords(), sessions, SignInLimiter(database, clock), merchants)
    return Wiring(
        settings=settings,
        clock=clock,
        database=database,
        accounts=accounts,
        form_tokens=FormTokens(settings.internal_token_secret.get_secret_value()),
        merchants=merchants,
        payments=payments,
        refunds=Refunds(client),
        webhooks=hooks,
        workers=Workers(payments),
        inspections=Inspections(database),
        secrets_in_use=SecretsInUse(hooks, settings.inspector_origin),
        hub=Hub(),
    )


def _start(tasks: BackgroundTasks, settings: Settings, wiring: Wiring) -> None:
    feed = LiveFeed(settings.broker_url.get_secret_value(), wiring.hub)
    looks = polls.Polls(wiring.hub, wiring.webhooks, wiring.inspections, wiring.workers)
    tasks.start("live-feed", feed.run)
    tasks.every(polls.DELIVERIES_SECONDS, "deliveries", looks.look_at_deliveries)
    tasks.every(polls.DELIVERIES_SECONDS, "inspections", looks.look_at_inspections)
    tasks.every(polls.WORKERS_SECONDS, "workers", looks.look_at_workers)
    tasks.every(_HOUSEKEEPING_SECONDS, "old-sessions", wiring.accounts.sessions.delete_old)
    tasks.every(_HOUSEKEEPING_SECONDS, "old-limits", wiring.accounts.limiter.delete_old)
