"""Wire the service once: what each part needs is passed to it here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from typing import Literal

import httpx
from fastapi import FastAPI

from gateway_common import cache
from gateway_common.auth.credentials import Authenticator
from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.auth.remote_keys import RemoteKeySource
from gateway_common.broker.consumer import BatchHandler, Consumer
from gateway_common.broker.publisher import Publisher
from gateway_common.broker.topology import REFUNDS_PAYMENTS, REFUNDS_RESULTS, Exchange, Queue
from gateway_common.clock import Clock, SystemClock
from gateway_common.database import Database, partitions
from gateway_common.errors import ServiceUnavailableError
from gateway_common.idempotency import IdempotencyKeys
from gateway_common.idempotency.fence import delete_old
from gateway_common.invariants import EVERY_SECONDS, InvariantChecks
from gateway_common.outbox.memory import RETENTION_DAYS, BrokerMemory
from gateway_common.outbox.nudge import OutboxListener, OutboxNudge
from gateway_common.outbox.relay import Relay
from gateway_common.tasks import BackgroundTasks
from gateway_common.web.application import create_app
from gateway_common.web.health import Readiness
from gateway_common.web.rate_limits import RateLimitHeaders, RateLimits
from refunds.consumers import PaymentEvents, RefundResults
from refunds.creation import RefundCreation
from refunds.dependencies import Dependencies
from refunds.endpoints import internal, public
from refunds.invariants import INVARIANTS
from refunds.overdue import OverdueRefunds
from refunds.payments_client import PaymentsClient
from refunds.settings import Settings

SERVICE = "refunds"
SWEEP_SECONDS = 2.0
HOUSEKEEPING_SECONDS = 3600.0

Role = Literal["web", "worker", "all"]


def build_app(
    settings: Settings,
    role: Role,
    clock: Clock | None = None,
    payments_transport: httpx.AsyncBaseTransport | None = None,
) -> FastAPI:
    """`payments_transport` reaches payments-api; by default over the network."""
    readiness = Readiness()
    now = clock or SystemClock()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        url = settings.database_url.get_secret_value()
        async with AsyncExitStack() as stack:
            database = await Database.connect(url, max_size=settings.database_pool_size)
            stack.push_async_callback(database.close)
            readiness.add("database", database.is_reachable)
            tasks = BackgroundTasks()
            stack.push_async_callback(tasks.stop)
            nudge = OutboxNudge(database)
            tasks.start("outbox.nudge", nudge.run)
            if role != "worker":
                app.state.dependencies = await _serving(stack, settings, database, nudge, now, payments_transport)
            if role != "web":
                await stack.enter_async_context(_working(settings, readiness, tasks, database, nudge, now))
            try:
                yield
            finally:
                readiness.is_draining = True

    routers = [] if role == "worker" else [public.router, internal.router]
    app = create_app(service=SERVICE, readiness=readiness, lifespan=lifespan, routers=routers)
    app.add_middleware(RateLimitHeaders)
    return app


async def keep_house(database: Database, clock: Clock) -> None:
    await partitions.maintain(database, "outbox", column="created_at", now=clock.now(), keep_days=RETENTION_DAYS)
    await delete_old(database, clock.now())


async def _serving(
    stack: AsyncExitStack,
    settings: Settings,
    database: Database,
    nudge: OutboxNudge,
    clock: Clock,
    payments_transport: httpx.AsyncBaseTransport | None,
) -> Dependencies:
    """What the web role works with. Redis is a help, not a need: it is no part of the readiness."""
    redis_url = settings.redis_url.get_secret_value()
    redis = cache.connect(redis_url)
    stack.push_async_callback(redis.aclose)
    http = await stack.enter_async_context(
        httpx.AsyncClient(base_url=settings.payments_api_url, timeout=1.0, transport=payments_transport)
    )
    secret = settings.internal_token_secret.get_secret_value()
    tokens = InternalTokens(secret, SERVICE, clock)
    authenticator = Authenticator(RemoteKeySource(http, redis, tokens), clock, tokens)
    creation = RefundCreation(database, PaymentsClient(http, tokens), nudge, clock)
    limits = RateLimits(redis, redis_url, settings)
    return Dependencies(database, authenticator, tokens, IdempotencyKeys(redis, secret), creation, limits)


@asynccontextmanager
async def _working(
    settings: Settings,
    readiness: Readiness,
    tasks: BackgroundTasks,
    database: Database,
    nudge: OutboxNudge,
    clock: Clock,
) -> AsyncIterator[None]:
    """Consumers, relay, sweeper, housekeeping; drained at the end."""
    broker_url = settings.broker_url.get_secret_value()
    publisher = Publisher(broker_url, Exchange.REFUNDS, SERVICE)
    listener = OutboxListener(database)
    relay = Relay(database, publisher, listener, clock)
    memory = BrokerMemory(database, publisher, Exchange.REFUNDS, clock)
    overdue = OverdueRefunds(database, nudge, clock, timedelta(seconds=settings.pending_expected_seconds))

    def consumer(queue: Queue, handle: BatchHandler) -> Consumer:
        return Consumer(
            broker_url,
            queue,
            handle,
            name=SERVICE,
            parking=publisher,
            drain_timeout_seconds=settings.drain_timeout_seconds,
        )

    consumers = {
        "payments": consumer(REFUNDS_PAYMENTS, PaymentEvents(database).handle),
        "results": consumer(REFUNDS_RESULTS, RefundResults(database, nudge, clock).handle),
    }

    async def is_consuming() -> bool:
        return all(one.is_consuming for one in consumers.values())

    readiness.add("broker", is_consuming)
    tasks.start("outbox.listener", listener.run)
    tasks.start("outbox.relay", relay.run)
    tasks.start("outbox.broker_memory", memory.watch)
    tasks.every(SWEEP_SECONDS, "overdue", overdue.sweep)
    tasks.every(HOUSEKEEPING_SECONDS, "housekeeping", lambda: keep_house(database, clock))
    tasks.every(EVERY_SECONDS, "invariants", InvariantChecks(database, INVARIANTS, clock).run)
    for name, one in consumers.items():
        tasks.start(name, one.run)
    try:
        yield
    finally:
        for one in consumers.values():
            one.stop()
        patience = settings.drain_timeout_seconds + 1
        await asyncio.gather(*(tasks.wait(name, patience) for name in consumers))
        await tasks.stop()
        with suppress(ServiceUnavailableError):  # what was written last need not wait for the next start
            await relay.send_batch()
        await publisher.close()
