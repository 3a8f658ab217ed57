"""Wire the service: `web` answers HTTP, `worker` consumes, relays and sweeps, `all` does both in one process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Literal

import httpx
from fastapi import FastAPI

from gateway_common import cache
from gateway_common.auth.credentials import Authenticator
from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.cards import CardKeys, CardVault
from gateway_common.clock import Clock, SystemClock
from gateway_common.database import Database
from gateway_common.idempotency import IdempotencyKeys
from gateway_common.outbox.nudge import OutboxNudge
from gateway_common.tasks import BackgroundTasks
from gateway_common.web.application import create_app
from gateway_common.web.health import Readiness
from gateway_common.web.rate_limits import RateLimitHeaders, RateLimits
from payments_api.client_tokens import ClientTokens
from payments_api.cors import PublicCors
from payments_api.dependencies import Dependencies
from payments_api.endpoints import checkout, documentation, health, internal, merchants, orders, payments
from payments_api.job_status import JobStatus
from payments_api.repositories.merchants import DatabaseKeySource
from payments_api.settings import Settings
from payments_api.settlements import Settlements
from payments_api.verdict_watch import VerdictWatch
from payments_api.worker import Worker

SERVICE = "payments-api"
Role = Literal["web", "worker", "all"]


def build_app(
    settings: Settings, role: Role, clock: Clock | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> FastAPI:
    """The application of one process; its lifespan opens and closes everything it holds.

    `transport` leads to the other services; None is the network.
    """
    clock = clock or SystemClock()
    readiness = Readiness()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            database = await Database.connect(
                settings.database_url.get_secret_value(), max_size=settings.database_pool_size
            )
            stack.push_async_callback(database.close)
            readiness.add("database", database.is_reachable)
            tasks = BackgroundTasks()
            stack.push_async_callback(tasks.stop)
            nudge = OutboxNudge(database)
            tasks.start("nudge", nudge.run)
            if role != "worker":
                app.state.dependencies = await _open_web(stack, settings, clock, database, nudge, transport)
                tasks.start("verdict-watch", app.state.dependencies.watch.run)
            if role != "web":
                worker = Worker(settings, clock, database, nudge, tasks)
                worker.start(readiness)
                stack.push_async_callback(worker.stop)
            yield
            readiness.is_draining = True

    # Routes are tried in this order, at some microseconds each: what is called most comes first.
    routers = [
        payments.router,
        orders.router,
        checkout.router,
        merchants.router,
        health.router,
        documentation.router,
        internal.router,
    ]
    app = create_app(
        service=SERVICE, readiness=readiness, lifespan=lifespan, routers=[] if role == "worker" else routers
    )
    if role != "worker":
        app.openapi = documentation.merged_document  # type: ignore[method-assign]  # FastAPI's own way to change it
    app.add_middleware(RateLimitHeaders)
    app.add_middleware(PublicCors)
    return app


async def _open_web(
    stack: AsyncExitStack,
    settings: Settings,
    clock: Clock,
    database: Database,
    nudge: OutboxNudge,
    transport: httpx.AsyncBaseTransport | None,
) -> Dependencies:
    redis_url = settings.redis_url.get_secret_value()
    redis = cache.connect(redis_url)
    stack.push_async_callback(redis.aclose)
    http = httpx.AsyncClient(timeout=2, transport=transport)
    stack.push_async_callback(http.aclose)
    secret = settings.internal_token_secret.get_secret_value()
    tokens = InternalTokens(secret, SERVICE, clock)
    return Dependencies(
        settings=settings,
        clock=clock,
        database=database,
        redis=redis,
        nudge=nudge,
        keys=IdempotencyKeys(redis, secret),
        authenticator=Authenticator(DatabaseKeySource(database), clock, tokens),
        tokens=tokens,
        vault=CardVault(redis, CardKeys.parse(settings.card_data_keys.get_secret_value()), clock),
        client_tokens=ClientTokens(secret),
        limits=RateLimits(redis, redis_url, settings),
        watch=VerdictWatch(database),
        jobs=JobStatus(database, settings.broker_url.get_secret_value()),
        http=http,
        settlements=Settlements(http, settings.refunds_url, tokens),
    )
