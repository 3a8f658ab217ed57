"""Ask the refunds service before capture and cancel: its row decides who gets a payment's money (docs/decisions/0020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import httpx
from pydantic import BaseModel

from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.errors import BadRequestError, ServiceUnavailableError
from gateway_common.logs import get_logger
from payments_api.domain.payment import Payment

log = get_logger(__name__)

Kind = Literal["capture", "cancel"]
REFUNDS = "refunds"


class Decision(BaseModel):
    """What was decided, by this call or by an earlier one. `amount_refunded` counts pending refunds too."""

    kind: Kind
    amount_captured: int
    amount_refunded: int


@dataclass(frozen=True, slots=True)
class Settlements:
    http: httpx.AsyncClient
    refunds_url: str
    tokens: InternalTokens

    async def decide(self, payment: Payment, kind: Kind, amount: int | None) -> Decision:
        """Safe to repeat: the first decision about a payment stays.

        Raises:
            BadRequestError: the refunds made so far do not leave room for it.
            ServiceUnavailableError: refunds cannot be asked; nothing was changed here.
        """
        wanted: dict[str, Any] = {
            "merchant_id": str(payment.merchant_id),
            "amount": payment.amount,
            "currency": payment.currency,
            "sequence": payment.sequence,
            "kind": kind,
            "capture_amount": amount,
        }
        try:
            answer = await self.http.post(
                f"{self.refunds_url}/internal/v1/payments/{payment.id}/settlement",
                json=wanted,
                headers=self.tokens.headers(REFUNDS),
            )
            if answer.status_code == 400:
                error = answer.json()["error"]
                raise BadRequestError(error["description"], field=error.get("field"), reason=error.get("reason"))
            answer.raise_for_status()
            return Decision.model_validate_json(answer.content)
        except (httpx.HTTPError, ValueError, KeyError) as error:
            log.warning("settlement.unavailable", payment_id=payment.id, error=repr(error))
            raise ServiceUnavailableError(
                f"The {kind} cannot be decided at the moment; try again in a moment", reason="refunds_unavailable"
            ) from error
