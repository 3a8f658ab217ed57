"""What FastAPI and asyncpg can do at most: one endpoint, one statement, nothing else. The benchmark's yardstick (b).

    BARE_DATABASE_URL=postgresql://… uvicorn loadtests.bare_endpoint:app

It validates the body with Pydantic and writes the rows of a payment with its two messages; no authentication, no
idempotency key, no order to look up, no request id, no metrics.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.responses import Response

from loadtests.ceilings import ACCEPT, MERCHANT, message


class NewPayment(BaseModel):
    order_id: str
    method: str
    vpa: str


@asynccontextmanager
async def _lifespan(application: FastAPI) -> AsyncIterator[None]:
    # As many connections as payments-api has by default.
    async with asyncpg.create_pool(os.environ["BARE_DATABASE_URL"], min_size=8, max_size=8) as pool:
        application.state.pool = pool
        yield


app = FastAPI(lifespan=_lifespan)


@app.post("/payments")
async def create(given: NewPayment) -> Response:
    now = datetime.now(UTC)
    payment_id = "pay_" + secrets.token_hex(8)
    fields: dict[str, Any] = {
        "id": payment_id,
        "order_id": given.order_id,
        "amount": 50_000,
        "currency": "INR",
        "method": given.method,
        "vpa": given.vpa,
        "status": "pending",
        "created_at": now,
    }
    body = orjson.dumps(fields)
    await app.state.pool.execute(
        ACCEPT, MERCHANT, payment_id, given.order_id, given.method, given.vpa, now,
        ["evt_" + secrets.token_hex(8), "evt_" + secrets.token_hex(8)], message(body.decode()),
    )  # fmt: skip
    return Response(body, status_code=201, media_type="application/json")
