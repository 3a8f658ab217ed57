"""Create an order."""

from __future__ import annotations

from uuid import UUID

from gateway_common import notes
from gateway_common.errors import InternalError
from gateway_common.idempotency import Fence, StoredResponse
from gateway_common.ids import new_order_id
from payments_api.dependencies import Dependencies
from payments_api.domain.payment import Order
from payments_api.rendering import created_order
from payments_api.repositories import fences, orders
from payments_api.schemas import NewOrder

# A lost race is settled by the second round at the latest; more would mean that something else is wrong.
ATTEMPTS = 3


async def create_order(using: Dependencies, merchant_id: UUID, given: NewOrder, fence: Fence | None) -> StoredResponse:
    """One statement; a key that has been used answers with the order it made."""
    now = using.now()
    order = Order(
        merchant_id,
        new_order_id(),
        given.amount,
        given.currency,
        given.receipt,
        notes.as_text(given.notes),
        given.multiple_payments,
        False,
        "created",
        0,
        now,
        now,
    )
    for _ in range(ATTEMPTS):
        if await orders.insert(using.database, order, fence):
            return StoredResponse(201, created_order(order))
        made_before = await fences.find_made(using.database, fence, now)
        if made_before is None:
            continue  # the fence was too old and is gone now
        found = await orders.find(using.database, merchant_id, made_before)
        if found is not None:
            return StoredResponse(201, created_order(found), is_replay=True)
    raise InternalError
