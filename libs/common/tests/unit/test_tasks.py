"""Background tasks end when they are told to, whatever becomes of the cancellation on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway_common import tasks
from gateway_common.tasks import BackgroundTasks


async def swallow() -> None:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        return


async def convert() -> None:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError as error:
        raise RuntimeError("the connection was closed") from error


async def hear_only_the_third() -> None:
    for _ in range(2):
        await swallow()
    await asyncio.sleep(60)


@pytest.mark.parametrize("work", [swallow, convert])
async def test_a_swallowed_cancellation_ends_a_repeated_task(work: Callable[[], Awaitable[None]]) -> None:
    running = BackgroundTasks()
    running.every(0.001, "stubborn", work)
    await asyncio.sleep(0.01)
    async with asyncio.timeout(1):
        await running.stop()


async def test_a_loop_that_never_hears_it_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "CUT_AGAIN_SECONDS", 0.02)
    running = BackgroundTasks()
    running.start("deaf", hear_only_the_third)
    await asyncio.sleep(0.01)
    async with asyncio.timeout(5):
        await running.stop()


async def test_one_that_tidies_up_is_not_cut_twice() -> None:
    tidied = []

    async def tidy() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.2)
            tidied.append(True)

    running = BackgroundTasks()
    running.start("tidy", tidy)
    await asyncio.sleep(0.01)
    await running.stop()
    assert tidied == [True]
