"""Wire the service once: what each part needs is passed to it here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from fastapi import FastAPI

from gateway_common import cache
from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.broker.consumer import Consumer
from gateway_common.broker.publisher import Publisher
from gateway_common.broker.topology import PROCESSOR_CHARGES, PROCESSOR_REFUNDS, Exchange, Queue
from gateway_common.cards import CardKeys, CardVault
from gateway_common.clock import Clock, SystemClock
from gateway_common.database import Database, partitions
from gateway_common.errors import ServiceUnavailableError
from gateway_common.invariants import EVERY_SECONDS, InvariantChecks
from gateway_common.outbox.memory import RETENTION_DAYS, BrokerMemory
from gateway_common.outbox.nudge import OutboxListener, OutboxNudge
from gateway_common.outbox.relay import Relay
from gateway_common.tasks import BackgroundTasks
from gateway_common.web.application import create_app
from gateway_common.web.health import Readiness
from processor import endpoints
from processor.acquirers import Acquirer
from processor.acquirers.simulator import Behaviour, SimulatedBank
from processor.acquirers.simulator.books import Books
from processor.execution import Execution
from processor.inquiries import Inquiries
from processor.intake import Intake, Reader, read_charge, read_refund
from processor.invariants import INVARIANTS
from processor.repository import OperationRepository
from processor.settings import Settings

SERVICE = "processor"
SWEEP_SECONDS = 1.0
HOUSEKEEPING_SECONDS = 3600.0

# Test mode is for people and tests that wait: a lost answer is found out soon.
TEST_ANSWER_TIMEOUT_SECONDS = 1.0
TEST_FIRST_INQUIRY_SECONDS = 1.0


def build_app(settings: Settings, clock: Clock | None = None) -> FastAPI:
    readiness = Readiness()
    now = clock or SystemClock()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _running(app, settings, readiness, now):
            yield

    return create_app(service=SERVICE, readiness=readiness, lifespan=lifespan, routers=[endpoints.router])


def simulated_bank(settings: Settings, bank_database: Database, clock: Clock) -> Acquirer:
    """In test mode the delay is `TEST_PROCESSING_DELAY` for charges and refunds, the outcome `TEST_PAYMENT_SUCCESS`."""
    charge_delay, refund_delay = settings.bank_charge_delay_seconds, settings.bank_refund_delay_seconds
    forced_success = None
    answer_timeout = settings.bank_answer_timeout_seconds
    if settings.test_mode:
        seconds = settings.test_processing_delay / 1000
        charge_delay = refund_delay = (seconds, seconds)
        forced_success = settings.test_payment_success
        answer_timeout = seconds + TEST_ANSWER_TIMEOUT_SECONDS
    behaviour = Behaviour(
        settings.bank_seed,
        charge_delay,
        refund_delay,
        settings.bank_upi_success_rate,
        settings.bank_card_success_rate,
        forced_success,
    )
    return SimulatedBank(Books(bank_database), behaviour, clock, answer_timeout)


async def keep_house(database: Database, clock: Clock) -> None:
    await partitions.maintain(database, "outbox", column="created_at", now=clock.now(), keep_days=RETENTION_DAYS)


@asynccontextmanager
async def _running(app: FastAPI, settings: Settings, readiness: Readiness, clock: Clock) -> AsyncIterator[None]:
    broker_url = settings.broker_url.get_secret_value()
    database = await Database.connect(settings.database_url.get_secret_value(), max_size=settings.database_pool_size)
    bank_database = await Database.connect(settings.bank_database_url.get_secret_value(), max_size=4)
    redis = cache.connect(settings.redis_url.get_secret_value())
    publisher = Publisher(broker_url, Exchange.PROCESSOR, SERVICE)
    nudge, listener = OutboxNudge(database), OutboxListener(database)
    first_pause = TEST_FIRST_INQUIRY_SECONDS if settings.test_mode else settings.inquiry_first_pause_seconds
    repository = OperationRepository(
        database, timedelta(seconds=first_pause), timedelta(seconds=settings.inquiry_longest_pause_seconds)
    )
    acquirer = simulated_bank(settings, bank_database, clock)
    vault = CardVault(redis, CardKeys.parse(settings.card_data_keys.get_secret_value()), clock)
    execution = Execution(repository, acquirer, vault, nudge, clock)
    abandon_after = timedelta(seconds=settings.inquiry_abandon_after_seconds)
    inquiries = Inquiries(repository, acquirer, execution, clock, abandon_after)
    relay = Relay(database, publisher, listener, clock)
    memory = BrokerMemory(database, publisher, Exchange.PROCESSOR, clock)

    def consumer(queue: Queue, read: Reader, prefetch: int) -> Consumer:
        return Consumer(
            broker_url,
            queue,
            Intake(read, repository, execution, nudge).handle,
            name=SERVICE,
            parking=publisher,
            prefetch=prefetch,
            acknowledges_itself=True,
            drain_timeout_seconds=settings.drain_timeout_seconds,
        )

    charges = consumer(PROCESSOR_CHARGES, read_charge, settings.charges_in_flight)
    refunds = consumer(PROCESSOR_REFUNDS, read_refund, settings.refunds_in_flight)
    app.state.tokens = InternalTokens(settings.internal_token_secret.get_secret_value(), SERVICE, clock)
    app.state.repository = repository

    async def is_consuming() -> bool:
        return charges.is_consuming and refunds.is_consuming

    readiness.add("database", database.is_reachable)
    readiness.add("bank_database", bank_database.is_reachable)
    readiness.add("broker", is_consuming)

    tasks = BackgroundTasks()
    tasks.start("outbox.nudge", nudge.run)
    tasks.start("outbox.listener", listener.run)
    tasks.start("outbox.relay", relay.run)
    tasks.start("outbox.broker_memory", memory.watch)
    tasks.every(SWEEP_SECONDS, "inquiries", inquiries.sweep)
    tasks.every(HOUSEKEEPING_SECONDS, "housekeeping", lambda: keep_house(database, clock))
    tasks.every(EVERY_SECONDS, "invariants", InvariantChecks(database, INVARIANTS, clock).run)
    tasks.start("charges", charges.run)
    tasks.start("refunds", refunds.run)
    try:
        yield
    finally:
        readiness.is_draining = True
        charges.stop()
        refunds.stop()
        patience = settings.drain_timeout_seconds + 1
        await asyncio.gather(tasks.wait("charges", patience), tasks.wait("refunds", patience))
        await execution.stop()
        await tasks.stop()
        with suppress(ServiceUnavailableError):  # what was answered last need not wait for the next start
            await relay.send_batch()
        await publisher.close()
        await redis.aclose()
        await bank_database.close()
        await database.close()
