"""A key's limit counts for this service too; the dashboard, which asks with a token of its own, is not limited."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from aiohttp import web

from gateway_common.auth.credentials import ApiKey
from gateway_common.auth.remote_keys import key_to_json
from gateway_common.auth.secrets import hash_secret


async def test_a_key_that_asks_too_often(run_service: Any, server: Any) -> None:
    known = key_to_json(ApiKey("key_limited", uuid4(), hash_secret("secret_limited")))

    async def answer_as_payments_api(_request: web.Request) -> web.Response:
        return web.Response(body=known, content_type="application/json")

    server.react["/internal/v1/api-keys/key_limited"] = answer_as_payments_api
    limits = {"RATE_LIMITS_ENABLED": "true", "RATE_LIMIT_PER_KEY": "3/hour", "PAYMENTS_API_URL": server.url}
    async with run_service("web", **limits) as new_shop:
        dashboard = new_shop().api
        pair = {"X-Api-Key": "key_limited", "X-Api-Secret": "secret_limited", "Authorization": ""}
        answers = [await dashboard.get("/api/v1/webhooks", headers=pair) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
        assert answers[-1].json()["error"]["code"] == "RATE_LIMITED"
        assert (await dashboard.get("/api/v1/webhooks")).status_code == 200
