"""What nobody publishes is looked up while somebody watches it: deliveries, what the inspector got, the workers."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any
from uuid import UUID

import orjson

from dashboard.gateway.webhooks import Webhooks
from dashboard.gateway.workers import Workers
from dashboard.inspector.repository import Inspections
from dashboard.live.hub import Change, Hub
from gateway_common.errors import GatewayError

DELIVERIES_SECONDS = 1.5
WORKERS_SECONDS = 2.0
# As many as the page shows; older ones change only when somebody asks for it.
_DELIVERIES = 25
# A merchant whose deliveries cannot be read must not hold up the others.
_AT_ONCE = 8


class Polls:
    """Each method is one round; the process's background tasks repeat them."""

    def __init__(self, hub: Hub, webhooks: Webhooks, inspections: Inspections, workers: Workers) -> None:
        self._hub = hub
        self._webhooks = webhooks
        self._inspections = inspections
        self._workers = workers
        self._seen: dict[tuple[str, UUID], Any] = {}
        self._seen_workers: str | None = None

    async def look_at_deliveries(self) -> None:
        slots = asyncio.Semaphore(_AT_ONCE)

        async def look(merchant_id: UUID) -> None:
            async with slots:
                try:
                    found = await self._webhooks.deliveries(merchant_id, limit=_DELIVERIES)
                except GatewayError:
                    return
            digest = hashlib.sha256(orjson.dumps(found)).digest()
            self._compare("deliveries", merchant_id, digest)

        watching = self._hub.merchants_watching("deliveries")
        self._forget("deliveries", watching)
        await asyncio.gather(*(look(merchant_id) for merchant_id in watching))

    async def look_at_inspections(self) -> None:
        """Another copy of this process may have received them; its own are announced at once."""
        watching = self._hub.merchants_watching("inspections")
        self._forget("inspections", watching)
        for merchant_id, newest in (await self._inspections.newest_ids(watching)).items() if watching else ():
            self._compare("inspections", merchant_id, newest)

    async def look_at_workers(self) -> None:
        if not self._hub.merchants_watching("workers"):
            self._seen_workers = None
            return
        status = (await self._workers.status()).worker_status
        if self._seen_workers not in (None, status):
            self._hub.publish_to_all(Change("workers", {"status": status}))
        self._seen_workers = status

    def _compare(self, topic: str, merchant_id: UUID, current: Any) -> None:
        before = self._seen.get((topic, merchant_id))
        self._seen[topic, merchant_id] = current
        # The first look counts as a change: the window read itself a moment before it, and may have missed one.
        if before != current:
            self._hub.publish(merchant_id, Change(topic))

    def _forget(self, topic: str, watching: list[UUID]) -> None:
        for key in [key for key in self._seen if key[0] == topic and key[1] not in watching]:
            del self._seen[key]
