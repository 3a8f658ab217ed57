"""The shared line to Redis: order of answers, errors, loss, and a server that does not answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import redis.exceptions as errors

from gateway_common import cache
from gateway_common.redis_line import RedisLine
from gateway_local.sandbox import Sandbox


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[cache.Redis]:
    made = cache.connect(sandbox.redis_url)
    await made.flushdb()
    yield made
    await made.aclose()


async def connections(client: cache.Redis) -> list[dict[str, str]]:
    database = str(client.connection_pool.connection_kwargs["db"])
    return [one for one in await client.client_list() if one["db"] == database]


async def test_a_thousand_tasks_share_a_connection_and_each_gets_its_own_answer(client: cache.Redis) -> None:
    async def one(number: int) -> bytes | None:
        await client.set(f"key:{number}", str(number), ex=10)
        return await client.get(f"key:{number}")

    answers = await asyncio.gather(*(one(number) for number in range(1000)))
    assert answers == [str(number).encode() for number in range(1000)]
    assert len(await connections(client)) <= 2  # the line, and the pool's one that asked for this list


async def test_answers_have_the_types_of_the_ordinary_client(client: cache.Redis) -> None:
    assert await client.set("k", b"v", nx=True, get=True, ex=5) is None
    assert await client.set("k", b"w", nx=True, get=True, ex=5) == b"v"
    assert await client.set("k", b"x", ex=5) is True
    assert await client.delete("k", "none") == 1
    assert await client.incrby("n", 3) == 3
    assert await client.ping() is True


async def test_an_error_of_one_command_is_its_own(client: cache.Redis) -> None:
    await client.set("text", "no number")
    good, bad = await asyncio.gather(client.get("text"), client.incrby("text", 1), return_exceptions=True)
    assert good == b"no number"
    assert isinstance(bad, errors.ResponseError)


async def test_a_script_that_redis_has_forgotten_is_loaded_again(client: cache.Redis) -> None:
    script = client.register_script("return redis.call('GET', KEYS[1])")
    await client.set("k", "v")
    assert await script(keys=["k"]) == b"v"
    await client.script_flush()
    assert await script(keys=["k"]) == b"v"


async def test_a_caller_that_goes_away_does_not_shift_the_answers(client: cache.Redis) -> None:
    await client.set("a", "1")
    await client.set("b", "2")
    gone = asyncio.create_task(client.get("a"))
    await asyncio.sleep(0)
    stays = asyncio.create_task(client.get("b"))
    gone.cancel()
    assert await stays == b"2"


async def test_after_its_connection_was_killed_the_line_opens_another(client: cache.Redis) -> None:
    await client.set("k", "v")
    for one in await connections(client):
        await client.execute_command("CLIENT", "KILL", "ID", one["id"], "SKIPME", "yes")
    await asyncio.sleep(0.05)
    assert await client.get("k") == b"v"


async def test_a_server_that_takes_connections_and_is_silent_costs_the_timeout_once() -> None:
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    line = RedisLine({"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1]}, timeout_seconds=0.2)
    started = time.monotonic()
    results = await asyncio.gather(*(line.execute("GET", "k") for _ in range(50)), return_exceptions=True)
    assert {type(result) for result in results} == {errors.TimeoutError}
    assert time.monotonic() - started < 0.5
    line.close()
    server.close()


async def test_nobody_listening_is_a_connection_error() -> None:
    with pytest.raises(errors.ConnectionError):
        await RedisLine({"host": "127.0.0.1", "port": 9}, timeout_seconds=0.2).execute("PING")
