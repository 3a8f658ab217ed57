"""`/livez`, `/readyz` and `/metrics` of every process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, FastAPI
from starlette.responses import JSONResponse, Response

from gateway_common import metrics

CHECK_TIMEOUT_SECONDS = 2.0

Check = Callable[[], Awaitable[bool]]


class Readiness:
    """Named checks that are really made on each question, and whether the process is draining."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self.is_draining = False

    def add(self, name: str, check: Check) -> None:
        self._checks[name] = check

    async def probe(self) -> dict[str, bool]:
        """Run all checks at once; one that takes longer than 2 s has failed."""
        results = await asyncio.gather(*(self._run(check) for check in self._checks.values()))
        return dict(zip(self._checks, results, strict=True))

    async def _run(self, check: Check) -> bool:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
                return await check()
        except Exception:
            return False


def install(app: FastAPI, readiness: Readiness) -> None:
    router = APIRouter(include_in_schema=False)

    @router.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        checks = await readiness.probe()
        is_ready = all(checks.values()) and not readiness.is_draining
        return JSONResponse(
            {"status": "ready" if is_ready else "not ready", "draining": readiness.is_draining, "checks": checks},
            status_code=200 if is_ready else 503,
        )

    @router.get("/metrics")
    async def prometheus() -> Response:
        body, content_type = metrics.render()
        return Response(body, media_type=content_type)

    app.include_router(router)
