"""`deliver` on exchange `webhooks`: a wake-up; the delivery's row says whether and when it is due."""

from __future__ import annotations

from uuid import UUID

from gateway_common.events.parsing import Message


class DeliveryDue(Message):
    """Attempt number `attempt` (from 1) of a delivery."""

    merchant_id: UUID
    delivery_id: UUID
    endpoint_id: str
    attempt: int
