"""Wire the parts together, once, per role."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx
from fastapi import FastAPI

from gateway_common import cache
from gateway_common.auth.credentials import Authenticator
from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.auth.remote_keys import RemoteKeySource
from gateway_common.broker.consumer import Consumer
from gateway_common.broker.publisher import Publisher
from gateway_common.broker.topology import WEBHOOKS_DELIVER, WEBHOOKS_PLAN, Exchange
from gateway_common.clock import SystemClock
from gateway_common.database import Database
from gateway_common.idempotency import IdempotencyKeys
from gateway_common.invariants import EVERY_SECONDS, InvariantChecks
from gateway_common.tasks import BackgroundTasks
from gateway_common.web.application import create_app
from gateway_common.web.health import Readiness
from gateway_common.web.rate_limits import RateLimitHeaders, RateLimits
from webhooks.delivery.engine import DeliveryEngine
from webhooks.delivery.recorder import Recorder
from webhooks.delivery.resolver import VettedResolver
from webhooks.delivery.sender import Sender
from webhooks.delivery.wakeups import Wakeups
from webhooks.endpoints import config, events, log, replays, timeline, webhook_endpoints
from webhooks.endpoints.dependencies import Parts
from webhooks.invariants import INVARIANTS
from webhooks.jobs import counts, gauges, housekeeping, sweeper
from webhooks.jobs import replays as replay_job
from webhooks.jobs.recovery import EVERY_SECONDS as RECOVERY_EVERY_SECONDS
from webhooks.jobs.recovery import Recovery
from webhooks.planning import Planner
from webhooks.repositories.endpoints import EndpointRepository
from webhooks.sealing import SecretSealer
from webhooks.service import WebhookService
from webhooks.settings import Settings

SERVICE = "webhooks"
# Replays before the log: `/webhooks/replays` is not the id of a delivery.
PUBLIC_ROUTERS = [config.router, replays.router, log.router, webhook_endpoints.router, events.router]


def make_sealer(settings: Settings) -> SecretSealer:
    keys = settings.webhook_secret_keys
    return SecretSealer.from_settings(
        None if keys is None else keys.get_secret_value(), settings.internal_token_secret.get_secret_value()
    )


def build_app(settings: Settings, role: str) -> FastAPI:
    """`role` is web, worker or all (both in one process)."""
    readiness = Readiness()
    sealer = make_sealer(settings)  # here, so that a wrong key stops the start

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            shared = await _open_shared(settings, sealer, readiness, stack)
            if role in ("web", "all"):
                app.state.parts = await _open_web(settings, shared, stack)
            if role in ("worker", "all"):
                await _open_worker(settings, shared, readiness, stack)
            yield
            readiness.is_draining = True

    routers = [*PUBLIC_ROUTERS, timeline.router] if role in ("web", "all") else []
    app = create_app(service=SERVICE, readiness=readiness, lifespan=lifespan, routers=routers)
    app.add_middleware(RateLimitHeaders)
    return app


@dataclass(frozen=True, slots=True)
class _Shared:
    database: Database
    publisher: Publisher
    wakeups: Wakeups
    sealer: SecretSealer
    clock: SystemClock


async def _open_shared(
    settings: Settings, sealer: SecretSealer, readiness: Readiness, stack: AsyncExitStack
) -> _Shared:
    database = await Database.connect(settings.database_url.get_secret_value(), max_size=settings.database_pool_size)
    stack.push_async_callback(database.close)
    publisher = Publisher(settings.broker_url.get_secret_value(), Exchange.WEBHOOKS, SERVICE)
    stack.push_async_callback(publisher.close)
    readiness.add("database", database.is_reachable)
    return _Shared(database, publisher, Wakeups(publisher), sealer, SystemClock())


async def _open_web(settings: Settings, shared: _Shared, stack: AsyncExitStack) -> Parts:
    secret = settings.internal_token_secret.get_secret_value()
    redis_url = settings.redis_url.get_secret_value()
    redis = cache.connect(redis_url)
    stack.push_async_callback(redis.aclose)
    http = await stack.enter_async_context(httpx.AsyncClient(base_url=settings.payments_api_url, timeout=2.0))
    tokens = InternalTokens(secret, SERVICE, shared.clock)
    resolver = VettedResolver(settings.target_policy)
    stack.push_async_callback(resolver.close)
    service = WebhookService(
        shared.database,
        EndpointRepository(shared.database, shared.sealer),
        resolver,
        settings.target_policy,
        shared.wakeups,
        shared.clock,
    )
    authenticator = Authenticator(RemoteKeySource(http, redis, tokens), shared.clock, tokens)
    limits = RateLimits(redis, redis_url, settings)
    return Parts(service, authenticator, tokens, IdempotencyKeys(redis, secret), limits)


async def _open_worker(settings: Settings, shared: _Shared, readiness: Readiness, stack: AsyncExitStack) -> None:
    database, clock = shared.database, shared.clock
    sender = Sender(
        settings.target_policy, VettedResolver(settings.target_policy), clock, settings.webhook_timeout_seconds
    )
    stack.push_async_callback(sender.close)
    tasks = BackgroundTasks()
    stack.push_async_callback(tasks.stop)
    recorder = Recorder(database, shared.wakeups, clock, settings.breaker_rules)
    engine = DeliveryEngine(
        database,
        sender,
        recorder,
        shared.sealer,
        clock,
        settings.schedules,
        in_flight=settings.webhook_in_flight,
        retry_after_cap=timedelta(seconds=settings.webhook_retry_after_cap_seconds),
    )
    window = timedelta(hours=settings.recovery_window_hours)
    recovery = Recovery(database, engine, clock, window=window, per_second=settings.recovery_per_second)
    planner = Planner(database, clock, engine.offer)
    consumers = [
        Consumer(
            settings.broker_url.get_secret_value(),
            queue,
            handler,
            name=SERVICE,
            parking=shared.publisher,
            drain_timeout_seconds=settings.drain_timeout_seconds,
        )
        for queue, handler in ((WEBHOOKS_PLAN, planner.handle), (WEBHOOKS_DELIVER, engine.handle))
    ]
    tasks.start("recorder", recorder.run)
    for consumer, name in zip(consumers, ("plan", "deliver"), strict=True):
        tasks.start(name, consumer.run)

    async def is_consuming() -> bool:
        return all(consumer.is_consuming for consumer in consumers)

    async def sweep() -> None:
        await sweeper.sweep(database, shared.wakeups, clock)

    tasks.every(sweeper.EVERY_SECONDS, "sweeper", sweep)
    tasks.every(RECOVERY_EVERY_SECONDS, "recovery", recovery.tend)
    tasks.every(replay_job.EVERY_SECONDS, "replays", lambda: replay_job.work(database, shared.wakeups, clock))
    tasks.every(counts.EVERY_SECONDS, "counts", lambda: counts.fold(database))
    tasks.every(EVERY_SECONDS, "invariants", InvariantChecks(database, INVARIANTS, clock).run)
    tasks.every(gauges.EVERY_SECONDS, "gauges", lambda: gauges.measure(database, shared.publisher, clock))
    tasks.every(
        housekeeping.EVERY_SECONDS,
        "housekeeping",
        lambda: housekeeping.keep_house(database, clock, settings.retention_days, window),
    )
    readiness.add("broker", is_consuming)

    async def drain() -> None:
        for consumer in consumers:
            consumer.stop()
        for name in ("plan", "deliver"):
            await tasks.wait(name, settings.drain_timeout_seconds)
        await recovery.stop()
        await engine.drain(settings.drain_timeout_seconds)

    stack.push_async_callback(drain)
