"""`/health` and `/api/v1/test/*`: open to everyone, so that a person or a check can see what runs."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway_common import cache
from gateway_common.clock import to_iso
from gateway_common.errors import NotFoundError
from gateway_common.web.answers import json_response
from payments_api import seed
from payments_api.dependencies import dependencies_of
from payments_api.documentation.answers import HealthAnswer, JobsAnswer, TestMerchantAnswer
from payments_api.documentation.describing import errors
from payments_api.repositories import merchants

router = APIRouter(tags=["Health"])


@router.get(
    "/health",
    response_model=HealthAnswer,
    summary="Whether the gateway works; each value is really probed",
    responses={503: {"model": HealthAnswer, "description": "The database is down"}, 500: errors()[500]},
)
async def health(request: Request) -> Response:
    using = dependencies_of(request)
    has_database, has_redis, broker = await asyncio.gather(
        using.database.is_reachable(), cache.is_reachable(using.redis), using.jobs.broker()
    )
    answer = {
        "status": "healthy" if has_database else "unhealthy",
        "database": "connected" if has_database else "disconnected",
        "redis": "connected" if has_redis else "disconnected",
        "broker": "connected" if broker.is_connected else "disconnected",
        "worker": "running" if broker.is_every_queue_consumed else "stopped",
        "timestamp": to_iso(using.clock.now()),
    }
    return json_response(answer, 200 if has_database else 503)


@router.get(
    "/api/v1/test/merchant",
    response_model=TestMerchantAnswer,
    summary="The seeded test merchant",
    responses=errors(404),
)
async def test_merchant(request: Request) -> Response:
    using = dependencies_of(request)
    merchant = await merchants.find(using.database, seed.MERCHANT_ID)
    if merchant is None:
        raise NotFoundError("The test merchant is not seeded")
    return json_response(
        {"id": str(merchant["id"]), "email": merchant["email"], "api_key": seed.API_KEY, "seeded": True}
    )


@router.get(
    "/api/v1/test/jobs/status",
    response_model=JobsAnswer,
    summary="What the workers are doing",
    responses=errors(),
)
async def jobs_status(request: Request) -> Response:
    using = dependencies_of(request)
    jobs, broker = await using.jobs.jobs()
    return json_response(
        {
            "pending": jobs.pending,
            "processing": jobs.processing,
            "completed": jobs.completed,
            "failed": jobs.failed,
            "worker_status": "running" if broker.is_every_queue_consumed else "stopped",
            "queues": [
                {"name": queue.name, "ready": queue.ready, "consumers": queue.consumers, "parked": queue.parked}
                for queue in broker.queues
            ],
        }
    )
