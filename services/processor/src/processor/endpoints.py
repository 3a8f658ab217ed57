"""The internal API: for other services, never routed by the edge."""

from __future__ import annotations

from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from gateway_common.web.answers import json_response
from gateway_common.web.internal import internal_router
from processor.repository import OperationRepository
from processor.timeline import entries_of

router = internal_router(lambda request: request.app.state.tokens)


@router.get("/payments/{payment_id}/timeline")
async def timeline(request: Request, payment_id: str, merchant_id: UUID) -> Response:
    """`{"entries":[{at, service, type, description, request_id, data}]}`, oldest first; empty for an unknown payment."""
    repository: OperationRepository = request.app.state.repository
    return json_response({"entries": entries_of(await repository.of_payment(merchant_id, payment_id))})
