"""Idempotency keys against real Redis and PostgreSQL: simultaneous, mismatched, flushed, crashed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from gateway_common import cache
from gateway_common.clock import SystemClock
from gateway_common.database import Database
from gateway_common.errors import (
    BadRequestError,
    IdempotencyKeyInUseError,
    IdempotencyKeyReusedError,
    OrderPaymentInProgressError,
    ValidationError,
)
from gateway_common.idempotency import Fence, IdempotencyKeys, StoredResponse, begin_fence, finish_fence
from gateway_common.idempotency import keys as keys_module
from gateway_common.idempotency.fence import delete_old
from gateway_common.web.problems import problem_body
from gateway_local.sandbox import Sandbox

MERCHANT = uuid.uuid4()


@pytest.fixture
async def redis(sandbox: Sandbox) -> AsyncIterator[cache.Redis]:
    client = cache.connect(sandbox.redis_url)
    await client.flushdb()
    yield client
    await client.aclose()


@pytest.fixture
def keys(redis: cache.Redis) -> IdempotencyKeys:
    return IdempotencyKeys(redis, "s" * 32)


class Ledger:
    """An effect that must happen once, written with the fence in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.effects = 0

    async def charge(self, fence: Fence | None) -> StoredResponse:
        async with self._database.transaction() as transaction:
            if (earlier := await begin_fence(transaction, fence, SystemClock().now())) is not None:
                return earlier
            await asyncio.sleep(0.05)
            self.effects += 1
            response = StoredResponse(201, b'{"id":"%d"}' % self.effects)
            await finish_fence(transaction, fence, response)
            return response


async def test_simultaneous_requests_with_one_key_have_one_effect_and_equal_answers(
    database: Database, keys: IdempotencyKeys
) -> None:
    ledger, fence = Ledger(database), keys.fence(MERCHANT, "k1", "POST", "/x", b'{"a":1}')
    answers = await asyncio.gather(*(keys.run(fence, lambda: ledger.charge(fence), problem_body) for _ in range(50)))
    assert ledger.effects == 1
    assert {(answer.status, answer.body) for answer in answers} == {(201, b'{"id":"1"}')}
    assert sum(answer.is_replay for answer in answers) == 49


async def test_a_redis_flushed_in_mid_flight_does_not_double_the_effect(
    database: Database, keys: IdempotencyKeys, redis: cache.Redis
) -> None:
    ledger, fence = Ledger(database), keys.fence(MERCHANT, "k2", "POST", "/x", b"{}")

    async def flush() -> None:
        for _ in range(20):
            await asyncio.sleep(0.005)
            await redis.flushdb()

    *answers, _ = await asyncio.gather(
        *(keys.run(fence, lambda: ledger.charge(fence), problem_body) for _ in range(30)), flush()
    )
    assert ledger.effects == 1
    assert {answer.body for answer in answers if isinstance(answer, StoredResponse)} == {b'{"id":"1"}'}


async def test_without_redis_the_fence_alone_holds(database: Database) -> None:
    keys = IdempotencyKeys(cache.connect("redis://127.0.0.1:9/0"), "s" * 32)
    ledger, fence = Ledger(database), keys.fence(MERCHANT, "k3", "POST", "/x", b"{}")
    answers = await asyncio.gather(*(keys.run(fence, lambda: ledger.charge(fence), problem_body) for _ in range(5)))
    assert ledger.effects == 1
    assert len({answer.body for answer in answers}) == 1


async def test_the_same_key_with_another_body_or_path_is_refused_by_redis_and_by_the_fence(
    database: Database, keys: IdempotencyKeys, redis: cache.Redis
) -> None:
    ledger = Ledger(database)
    first = keys.fence(MERCHANT, "k4", "POST", "/x", b'{"a":1,"b":2}')
    await keys.run(first, lambda: ledger.charge(first), problem_body)
    same = keys.fence(MERCHANT, "k4", "POST", "/x", b'{ "b": 2, "a": 1 }')
    assert (await keys.run(same, lambda: ledger.charge(same), problem_body)).is_replay
    for other in (
        keys.fence(MERCHANT, "k4", "POST", "/x", b'{"a":2}'),
        keys.fence(MERCHANT, "k4", "POST", "/y", b'{"a":1,"b":2}'),
    ):
        with pytest.raises(IdempotencyKeyReusedError):
            await keys.run(other, lambda other=other: ledger.charge(other), problem_body)
        await redis.flushdb()
        with pytest.raises(IdempotencyKeyReusedError):
            await keys.run(other, lambda other=other: ledger.charge(other), problem_body)
    assert ledger.effects == 1


async def test_refusals_are_kept_but_not_those_that_may_be_tried_again(keys: IdempotencyKeys) -> None:
    tried: list[str] = []

    async def refuse(error: Exception, name: str) -> StoredResponse:
        tried.append(name)
        raise error

    kept = keys.fence(MERCHANT, "k5", "POST", "/x", b"{}")
    with pytest.raises(BadRequestError):
        await keys.run(kept, lambda: refuse(BadRequestError("Payment not in capturable state"), "kept"), problem_body)
    replay = await keys.run(kept, lambda: refuse(AssertionError(), "kept again"), problem_body)
    assert replay.is_replay
    assert replay.status == 400
    assert b"Payment not in capturable state" in replay.body

    for error in (ValidationError("amount must be at least 100"), OrderPaymentInProgressError(), RuntimeError("crash")):
        fence = keys.fence(MERCHANT, f"k6-{type(error).__name__}", "POST", "/x", b"{}")
        for _ in range(2):
            with pytest.raises(type(error)):
                await keys.run(fence, lambda error=error: refuse(error, "again"), problem_body)
    assert tried.count("kept again") == 0
    assert tried.count("again") == 6


async def test_a_request_that_hangs_gives_the_second_409_after_a_short_wait(
    keys: IdempotencyKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys_module, "WAIT_SECONDS", 0.2)
    fence, release = keys.fence(MERCHANT, "k7", "POST", "/x", b"{}"), asyncio.Event()

    async def hang() -> StoredResponse:
        await release.wait()
        return StoredResponse(201, b"{}")

    first = asyncio.create_task(keys.run(fence, hang, problem_body))
    await asyncio.sleep(0.05)
    with pytest.raises(IdempotencyKeyInUseError) as caught:
        await keys.run(fence, hang, problem_body)
    assert caught.value.retry_after_seconds == 1
    release.set()
    assert (await first).status == 201


async def test_keys_older_than_a_day_are_free_again(database: Database, keys: IdempotencyKeys) -> None:
    ledger, fence = Ledger(database), keys.fence(MERCHANT, "k8", "POST", "/x", b"{}")
    await ledger.charge(fence)
    await database.execute("UPDATE idempotency_keys SET created_at = created_at - interval '25 hours'")
    await ledger.charge(fence)
    assert ledger.effects == 2
    await delete_old(database, SystemClock().now() + timedelta(hours=25))
    assert await database.fetch_value("SELECT count(*) FROM idempotency_keys") == 0


@pytest.mark.parametrize("key", ["", "x" * 256, "line\nbreak", "snow☃man"])
def test_unprintable_keys_are_refused(keys: IdempotencyKeys, key: str) -> None:
    with pytest.raises(ValidationError):
        keys.fence(MERCHANT, key, "POST", "/x", b"{}")
