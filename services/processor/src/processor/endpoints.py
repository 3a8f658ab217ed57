"""The internal API: for other services, never routed by the edge."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.web.answers import json_response
from processor.repository import OperationRepository
from processor.timeline import entries_of

router = APIRouter(prefix="/internal/v1", include_in_schema=False)


@router.get("/payments/{payment_id}/timeline")
async def timeline(request: Request, payment_id: str, merchant_id: UUID) -> Response:
    """`{"entries":[{at, service, type, description, request_id, data}]}`, oldest first; empty for an unknown payment."""
    tokens: InternalTokens = request.app.state.tokens
    repository: OperationRepository = request.app.state.repository
    tokens.verify(request.headers.get("authorization"))
    return json_response({"entries": entries_of(await repository.of_payment(merchant_id, payment_id))})
