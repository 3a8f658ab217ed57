"""Gathering: one statement for many, and no item pays for another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from gateway_common.errors import DatabaseUnavailableError
from processor.collector import Collector


async def test_simultaneous_items_are_one_batch() -> None:
    batches: list[list[int]] = []

    async def double(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        return [item * 2 for item in items]

    collector = Collector(double)
    assert await asyncio.gather(*(collector.submit(n) for n in range(100))) == [n * 2 for n in range(100)]
    assert batches == [list(range(100))]


async def test_a_batch_has_a_bound() -> None:
    sizes: list[int] = []

    async def work(items: Sequence[int]) -> list[int]:
        sizes.append(len(items))
        return list(items)

    collector = Collector(work, largest_batch=40)
    await asyncio.gather(*(collector.submit(n) for n in range(100)))
    assert sizes == [40, 40, 20]


async def test_only_the_item_at_fault_fails() -> None:
    async def work(items: Sequence[int]) -> list[int]:
        if 7 in items:
            raise ValueError("seven")
        return list(items)

    collector = Collector(work)
    results = await asyncio.gather(*(collector.submit(n) for n in range(10)), return_exceptions=True)
    assert [n for n, result in enumerate(results) if isinstance(result, ValueError)] == [7]


async def test_a_database_that_is_away_is_waited_for() -> None:
    calls = 0

    async def work(items: Sequence[int]) -> list[int]:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise DatabaseUnavailableError
        return list(items)

    assert await Collector(work).submit(1) == 1
    assert calls == 3


async def test_whoever_was_cancelled_does_not_stop_the_others() -> None:
    begun = asyncio.Event()

    async def work(items: Sequence[int]) -> list[int]:
        begun.set()
        await asyncio.sleep(0.05)
        return list(items)

    collector = Collector(work)
    first = asyncio.create_task(collector.submit(1))
    second = asyncio.create_task(collector.submit(2))
    await begun.wait()
    first.cancel()
    assert await second == 2
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await collector.submit(3) == 3
