"""The worker's loops: result and refund consumers, outbox relay, sweeper, housekeeping."""

from __future__ import annotations

from gateway_common.broker.consumer import Consumer
from gateway_common.broker.publisher import Publisher
from gateway_common.broker.topology import PAYMENTS_REFUNDS, PAYMENTS_RESULTS, Exchange
from gateway_common.clock import Clock
from gateway_common.database import Database
from gateway_common.invariants import EVERY_SECONDS, InvariantChecks
from gateway_common.outbox.memory import BrokerMemory
from gateway_common.outbox.nudge import OutboxListener, OutboxNudge
from gateway_common.outbox.relay import Relay
from gateway_common.tasks import BackgroundTasks
from gateway_common.web.health import Readiness
from payments_api import housekeeping
from payments_api.consumers.refunds import RefundConsumer
from payments_api.consumers.results import ResultConsumer
from payments_api.housekeeping import Housekeeping
from payments_api.invariants import INVARIANTS
from payments_api.settings import Settings
from payments_api.sweeper import SWEEP_SECONDS, PendingSweeper

NAME = "payments-api"


class Worker:
    """Started and stopped by the lifespan; `tasks` are the process's own."""

    def __init__(
        self, settings: Settings, clock: Clock, database: Database, nudge: OutboxNudge, tasks: BackgroundTasks
    ) -> None:
        url = settings.broker_url.get_secret_value()
        self._drain_seconds = settings.drain_timeout_seconds
        self._tasks = tasks
        self._publisher = Publisher(url, Exchange.PAYMENTS, NAME)
        results = ResultConsumer(database, nudge, clock)
        refunds = RefundConsumer(database, clock)
        self._consumers = {
            "results": Consumer(url, PAYMENTS_RESULTS, results.handle, name=NAME, parking=self._publisher),
            "refunds": Consumer(url, PAYMENTS_REFUNDS, refunds.handle, name=NAME, parking=self._publisher),
        }
        self._listener = OutboxListener(database)
        self._relay = Relay(database, self._publisher, self._listener, clock)
        self._memory = BrokerMemory(database, self._publisher, Exchange.PAYMENTS, clock)
        self._sweeper = PendingSweeper(
            database,
            nudge,
            clock,
            expected_seconds=settings.pending_expected_seconds,
            max_age_seconds=settings.pending_max_age_seconds,
        )
        self._housekeeping = Housekeeping(database, clock)
        self._invariants = InvariantChecks(database, INVARIANTS, clock)

    def start(self, readiness: Readiness) -> None:
        for name, consumer in self._consumers.items():
            self._tasks.start(f"consume-{name}", consumer.run)
        self._tasks.start("outbox-listener", self._listener.run)
        self._tasks.start("outbox-relay", self._relay.run)
        self._tasks.start("broker-memory", self._memory.watch)
        self._tasks.every(SWEEP_SECONDS, "pending-sweeper", self._sweeper.sweep)
        self._tasks.every(EVERY_SECONDS, "invariants", self._invariants.run)
        self._tasks.every(housekeeping.EVERY_SECONDS, "housekeeping", self._housekeeping.run_once)
        readiness.add("broker", self._is_consuming)

    async def stop(self) -> None:
        """Finish the batches in hand; the relay goes on meanwhile and is cut last."""
        for consumer in self._consumers.values():
            consumer.stop()
        for name in self._consumers:
            await self._tasks.wait(f"consume-{name}", self._drain_seconds)
        await self._tasks.stop()
        await self._publisher.close()

    async def _is_consuming(self) -> bool:
        return all(consumer.is_consuming for consumer in self._consumers.values())
