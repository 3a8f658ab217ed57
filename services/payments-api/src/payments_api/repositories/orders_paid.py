"""How much of an order is paid: raised by the result consumer (repositories/results.py), lowered by a cancellation."""

from __future__ import annotations

from gateway_common.database import Connection
from payments_api.domain.payment import Payment

_TAKE_BACK = """
UPDATE orders SET amount_paid = amount_paid - $3, updated_at = $4,
    status = CASE WHEN amount_paid - $3 > 0 THEN 'paid' ELSE 'created' END
WHERE merchant_id = $1 AND id = $2
"""


async def take_back(transaction: Connection, cancelled: Payment) -> None:
    """The order of a cancelled payment; with nothing left paid it is `created` again and may be paid anew."""
    await transaction.execute(
        _TAKE_BACK, cancelled.merchant_id, cancelled.order_id, cancelled.amount, cancelled.updated_at
    )
