"""Use case: payments-api asks what becomes of the rest of a payment's money, before it captures or cancels."""

from __future__ import annotations

from uuid import UUID

from gateway_common.database import Database
from refunds import repositories
from refunds.domain.balance import Balance, Settlement


async def settle(
    database: Database,
    *,
    merchant_id: UUID,
    payment_id: str,
    amount: int,
    currency: str,
    sequence: int,
    kind: Settlement,
    capture_amount: int | None,
) -> tuple[Balance, bool]:
    """Decide, once: the balance as it is decided, and whether this call decided it.

    The caller's own knowledge of the payment (successful, `amount`) makes the balance if there is none yet.
    Safe to repeat: whoever crashed between this decision and its own record asks again and hears the same.

    Raises:
        NotCapturableError, CaptureAmountExceedsAvailableError, NotCancellableError: the rules of `Balance`.
    """
    await repositories.hear_of(database, [Balance(merchant_id, payment_id, amount, currency, sequence)])
    async with database.transaction() as transaction:
        balance = await repositories.lock_balance(transaction, merchant_id, payment_id)
        assert balance is not None
        settled = balance.capture(capture_amount) if kind is Settlement.CAPTURE else balance.cancel()
        is_first = settled is not balance
        if is_first:
            await repositories.save_balances(transaction, [settled])
    return settled, is_first
