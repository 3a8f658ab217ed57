"""For other services; never routed by the edge."""

from __future__ import annotations

from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from gateway_common.web.answers import json_response
from gateway_common.web.internal import internal_router
from refunds import repositories
from refunds.dependencies import dependencies_of
from refunds.schemas import SettlementRequest
from refunds.settlement import settle
from refunds.timeline import entries_of

router = internal_router(lambda request: dependencies_of(request).tokens)


@router.get("/payments/{payment_id}/timeline")
async def timeline(request: Request, payment_id: str, merchant_id: UUID) -> Response:
    """`{"entries":[{at, service, type, description, request_id, data}]}`, oldest first; empty for an unknown payment."""
    using = dependencies_of(request)
    refunds = await repositories.of_payment(using.database, merchant_id, payment_id)
    return json_response({"entries": entries_of(refunds)})


@router.post("/payments/{payment_id}/settlement")
async def settlement(request: Request, payment_id: str, wanted: SettlementRequest) -> Response:
    """Decide on a capture or cancel: `{"kind", "amount_captured", "amount_refunded", "is_first"}`.

    `amount_refunded` counts pending refunds too. The first decision stays: it may differ from what this call wanted.
    """
    using = dependencies_of(request)
    balance, is_first = await settle(
        using.database,
        merchant_id=wanted.merchant_id,
        payment_id=payment_id,
        amount=wanted.amount,
        currency=wanted.currency,
        sequence=wanted.sequence,
        kind=wanted.kind,
        capture_amount=wanted.capture_amount,
    )
    return json_response(
        {
            "kind": balance.settlement,
            "amount_captured": balance.amount_captured,
            "amount_refunded": balance.amount_pending + balance.amount_refunded,
            "is_first": is_first,
        }
    )
