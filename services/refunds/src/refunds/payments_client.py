"""Ask payments-api about a payment that no event has told of yet."""

from __future__ import annotations

from uuid import UUID

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.auth.remote_keys import PAYMENTS_API
from gateway_common.errors import NotFoundError, ServiceUnavailableError
from gateway_common.events import PaymentSnapshot
from refunds.domain.balance import Balance, Settlement
from refunds.domain.refusals import NotRefundableError

# One answer is 503 within 2 s, whatever the other service does.
CALL_TIMEOUT_SECONDS = 0.8
GIVE_UP_SECONDS = 0.9


class PaymentsClient:
    def __init__(self, http: httpx.AsyncClient, tokens: InternalTokens) -> None:
        """`http` has payments-api as its base URL."""
        self._http = http
        self._tokens = tokens

    async def balance_of(self, merchant_id: UUID, payment_id: str) -> Balance:
        """The untouched balance of a successful payment.

        Raises:
            NotFoundError: no such payment of this merchant.
            NotRefundableError: it has not succeeded.
            ServiceUnavailableError: payments-api does not answer.
        """
        response = await self._get(merchant_id, payment_id)
        if response.status_code == 404:
            raise NotFoundError("Payment not found")
        body = response.json()
        found = balance_in(merchant_id, body["sequence"], PaymentSnapshot.model_validate(body["payment"]))
        if found is None:
            raise NotRefundableError
        return found

    async def _get(self, merchant_id: UUID, payment_id: str) -> httpx.Response:
        try:
            async for attempt in AsyncRetrying(
                stop=stop_after_delay(GIVE_UP_SECONDS),
                wait=wait_random_exponential(multiplier=0.05, max=0.3),
                retry=retry_if_exception_type(httpx.HTTPError),
                reraise=True,
            ):
                with attempt:
                    response = await self._http.get(
                        f"/internal/v1/payments/{payment_id}",
                        params={"merchant_id": str(merchant_id)},
                        headers=self._tokens.headers(PAYMENTS_API),
                        timeout=CALL_TIMEOUT_SECONDS,
                    )
                    if response.status_code != 404:
                        response.raise_for_status()
        except httpx.HTTPError as error:
            raise ServiceUnavailableError(
                "The payment cannot be looked up at the moment; try again in a moment",
                reason="payments_api_unavailable",
            ) from error
        return response


def balance_in(merchant_id: UUID, sequence: int, payment: PaymentSnapshot) -> Balance | None:
    """What is heard of a payment's money; None when the payment has not succeeded."""
    if payment.status not in ("success", "cancelled"):
        return None
    settlement = None
    if payment.status == "cancelled":
        settlement = Settlement.CANCEL
    elif payment.captured:
        settlement = Settlement.CAPTURE
    captured = payment.amount_captured if settlement is Settlement.CAPTURE else 0
    return Balance(merchant_id, payment.id, payment.amount, payment.currency, sequence, settlement, captured)
