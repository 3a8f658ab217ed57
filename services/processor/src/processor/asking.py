"""Put an operation to the acquirer."""

from __future__ import annotations

from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from gateway_common.card import Card
from gateway_common.cards import CardVault
from gateway_common.errors import CacheUnavailableError
from processor.acquirers import Acquirer, ChargeRequest, RefundRequest
from processor.domain.operations import Answer, Kind, Operation

CARD_DATA_EXPIRED = "card_data_expired"


def as_request(operation: Operation, card: Card | None = None) -> ChargeRequest | RefundRequest:
    if operation.kind is Kind.REFUND:
        return RefundRequest(
            operation.reference,
            operation.merchant_id,
            operation.payment_id,
            operation.amount,
            operation.currency,
        )
    return ChargeRequest(
        operation.reference,
        operation.merchant_id,
        operation.payment_id,
        operation.amount,
        operation.currency,
        operation.method,
        operation.vpa,
        card,
    )


async def ask(acquirer: Acquirer, vault: CardVault, operation: Operation) -> Answer:
    """Charge or refund. Safe to repeat: the acquirer knows the reference.

    A card whose data is gone may have been charged by a predecessor that crashed; the acquirer settles which it is.

    Raises:
        OutcomeUnknownError: the acquirer did not answer.
    """
    card = None
    if operation.kind is Kind.CHARGE and operation.method == "card":
        card = await _load_card(vault, operation.card_token)
        if card is None:
            return await acquirer.abandon(as_request(operation), CARD_DATA_EXPIRED)
    request = as_request(operation, card)
    if isinstance(request, RefundRequest):
        return await acquirer.refund(request)
    return await acquirer.charge(request)


async def _load_card(vault: CardVault, token: str | None) -> Card | None:
    """None when the data is gone for good; a Redis that is away is waited for."""
    if token is None:
        return None
    async for attempt in AsyncRetrying(
        wait=wait_random_exponential(multiplier=0.1, max=2), retry=retry_if_exception_type(CacheUnavailableError)
    ):
        with attempt:
            return await vault.load(token)
    raise AssertionError("unreachable: the loop above never stops")
