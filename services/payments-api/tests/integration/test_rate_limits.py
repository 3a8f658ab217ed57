"""Rate limits: exact enough, told in headers, shared between processes, and never in the way when Redis is gone."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any


async def test_a_key_that_asks_too_often(open_gateway: Any) -> None:
    limits = {"RATE_LIMITS_ENABLED": "true", "RATE_LIMIT_PER_KEY": "20/hour"}
    async with open_gateway(**limits) as one, open_gateway(**limits) as other:
        await one.using.redis.flushdb()
        requests = [process.api.get("/merchant") for process in (one, other) for _ in range(20)]
        answers = await asyncio.gather(*requests)
        counted = Counter(answer.status_code for answer in answers)
        assert counted == {200: 20, 429: 20}
        assert all(answer.headers["ratelimit-limit"] == "20" for answer in answers)
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json()["error"]["code"] == "RATE_LIMITED"
        assert refused.headers["ratelimit-remaining"] == "0"
        assert 1 <= int(refused.headers["retry-after"]) <= 3600
        basic = await one.api.get("/merchant", auth=("key_test_abc123", "secret_test_xyz789"))
        assert basic.status_code == 429


async def test_an_address_on_public_endpoints(open_gateway: Any) -> None:
    async with open_gateway(RATE_LIMITS_ENABLED="true", RATE_LIMIT_PER_ADDRESS="3/hour") as gateway:
        await gateway.using.redis.flushdb()
        statuses = [(await gateway.api.get("/orders/order_test_123/public")).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        assert (await gateway.api.get("/orders/order_test_123")).status_code == 200


async def test_redis_is_asked_once_for_many_requests(open_gateway: Any) -> None:
    async with open_gateway(RATE_LIMITS_ENABLED="true") as gateway:
        await gateway.using.redis.flushdb()
        before = (await gateway.using.redis.info("stats"))["total_commands_processed"]
        for _ in range(90):
            assert (await gateway.api.get("/merchant")).status_code == 200
        after = (await gateway.using.redis.info("stats"))["total_commands_processed"]
        # One lease (a script of two commands, perhaps a window's turn), and our own questions; other tests share the server.
        assert after - before < 40


async def test_without_redis_nobody_is_limited(open_gateway: Any) -> None:
    limits = {"RATE_LIMITS_ENABLED": "true", "RATE_LIMIT_PER_KEY": "1/hour", "REDIS_URL": "redis://127.0.0.1:1/0"}
    async with open_gateway(**limits) as gateway:
        for _ in range(3):
            assert (await gateway.api.get("/merchant")).status_code == 200
