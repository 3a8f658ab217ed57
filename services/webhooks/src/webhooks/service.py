"""What merchants do with their endpoints: one function per use case, each with its transaction in sight."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from gateway_common import context
from gateway_common.clock import Clock
from gateway_common.database import Connection, Database
from gateway_common.ids import new_event_id
from webhooks.delivery.resolver import VettedResolver
from webhooks.delivery.wakeups import Wakeups
from webhooks.domain.addresses import read_address
from webhooks.domain.delivery_ids import whole_milliseconds
from webhooks.domain.event_bodies import TEST_EVENT, render_body
from webhooks.domain.targets import TargetPolicy, TargetRefusedError
from webhooks.errors import (
    DeliveryNotFoundError,
    EndpointNotFoundError,
    NothingToCallError,
    TooManyEndpointsError,
    UrlRefusedError,
)
from webhooks.repositories import deliveries, health, log, planning
from webhooks.repositories.deliveries import Due
from webhooks.repositories.endpoints import Endpoint, EndpointRepository
from webhooks.repositories.planning import NewEvent, PlannedDelivery, Recipient

SECRET_OVERLAP = timedelta(hours=24)
MAX_ENDPOINTS = 30
# Saving must not hang on a name server; what cannot be looked up now is vetted at every attempt.
_LOOKUP_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class WebhookService:
    database: Database
    endpoints: EndpointRepository
    resolver: VettedResolver
    policy: TargetPolicy
    wakeups: Wakeups
    clock: Clock

    async def vet(self, url: str, field: str) -> None:
        """The guard of every attempt, asked when a URL is saved. A name that has no address yet may be saved.

        Raises:
            UrlRefusedError: names `field` and says why.
        """
        try:
            host = self.policy.check_url(url).host or ""
            if read_address(host) is None:
                async with asyncio.timeout(_LOOKUP_SECONDS):
                    await self.resolver.addresses(host)
        except TargetRefusedError as error:
            raise UrlRefusedError(field, str(error)) from error
        except (OSError, UnicodeError, TimeoutError):
            return

    async def create(self, transaction: Connection, merchant_id: UUID, **fields: Any) -> Endpoint:
        # Counted under a lock of the merchant, so that simultaneous requests cannot pass the limit together.
        await transaction.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 11))", str(merchant_id))
        if await self.endpoints.count(transaction, merchant_id) >= MAX_ENDPOINTS:
            raise TooManyEndpointsError
        endpoint = await self.endpoints.add(transaction, merchant_id, self.clock.now(), **fields)
        assert endpoint is not None
        return endpoint

    async def update(
        self, transaction: Connection, merchant_id: UUID, endpoint_id: str, changes: dict[str, Any]
    ) -> Endpoint:
        """Change some fields. What is pending goes to a new URL, and stops when there is none or the endpoint is disabled."""
        before = await self.endpoints.lock(transaction, merchant_id, endpoint_id)
        if before is None:
            raise EndpointNotFoundError
        now = self.clock.now()
        after = replace(before, **changes)
        if "is_enabled" in changes:
            after = replace(after, disabled_reason=None if after.is_enabled else "merchant")
        after = await self.endpoints.save(transaction, after, now)
        if after.url is None:
            await deliveries.stop_all(transaction, endpoint_id, "no_url")
        elif not after.is_enabled:
            await deliveries.stop_all(transaction, endpoint_id, "endpoint_disabled")
        if after.url != before.url or (after.is_enabled and not before.is_enabled):
            await health.move(transaction, endpoint_id, now)
        return after

    async def delete(self, transaction: Connection, merchant_id: UUID, endpoint_id: str) -> None:
        if not await self.endpoints.delete(transaction, merchant_id, endpoint_id, self.clock.now()):
            raise EndpointNotFoundError
        await deliveries.stop_all(transaction, endpoint_id, "endpoint_deleted")

    async def rotate_secret(self, transaction: Connection, merchant_id: UUID, endpoint_id: str) -> str:
        if await self.endpoints.lock(transaction, merchant_id, endpoint_id) is None:
            raise EndpointNotFoundError
        now = self.clock.now()
        return await self.endpoints.rotate_secret(transaction, endpoint_id, now, now + SECRET_OVERLAP)

    async def secret_of(self, endpoint: Endpoint) -> str:
        return (await self.endpoints.secrets([endpoint.id], self.clock.now()))[endpoint.id][0]

    async def send_test(self, transaction: Connection, endpoint: Endpoint) -> PlannedDelivery:
        """Store a `webhook.test` event for one endpoint. Call `announce` once it has committed.

        Raises:
            NothingToCallError: the endpoint has no URL or is disabled.
        """
        if endpoint.url is None or not endpoint.is_enabled:
            raise NothingToCallError
        now = self.clock.now()
        event_id = new_event_id()
        data = {
            "webhook": {"endpoint_id": endpoint.id, "message": "This is a test. Your endpoint works if it answers 2xx."}
        }
        event = NewEvent(
            endpoint.merchant_id,
            event_id,
            whole_milliseconds(now),
            TEST_EVENT,
            None,
            1,
            render_body(TEST_EVENT, now, data, event_id, 1),
            context.request_id.get(),
        )
        recipients = {endpoint.merchant_id: [Recipient(endpoint.id, is_enabled=True, event_types=None)]}
        (planned,) = await planning.plan(transaction, [event], recipients, now)
        return planned

    async def retry(self, transaction: Connection, merchant_id: UUID, delivery_id: UUID) -> list[Due]:
        """Start a new round of attempts. Call `announce` with the result once it has committed.

        Raises:
            DeliveryNotFoundError: no such delivery of this merchant.
            NothingToCallError: its endpoint is deleted, disabled, or has no URL.
        """
        found = await log.endpoint_of(transaction, merchant_id, delivery_id)
        if found is None:
            raise DeliveryNotFoundError
        if found["deleted_at"] is not None or not found["is_enabled"] or found["url"] is None:
            raise NothingToCallError
        return await deliveries.send_again(transaction, [(merchant_id, delivery_id)], self.clock.now())

    async def announce(self, dues: Sequence[Due | PlannedDelivery]) -> None:
        """Tell the workers, after the commit. The sweeper makes up for a broker that is gone."""
        await self.wakeups.send(
            [one if isinstance(one, Due) else Due(one.merchant_id, one.id, one.endpoint_id, 1) for one in dues],
            self.clock.now(),
        )
