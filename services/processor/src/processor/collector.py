"""Gather single pieces of work into one statement: a few milliseconds of waiting buy one round trip for hundreds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from gateway_common.broker.consumer import TRANSIENT_ERRORS
from gateway_common.pacing import Pace

Item = TypeVar("Item")
Result = TypeVar("Result")

PACE_SECONDS = 0.02
LARGEST_BATCH = 500


class Collector(Generic[Item, Result]):
    """`work` gets a batch and returns one result per item, in order; it is repeated while the database is away.

    Any other failure splits the batch, so that only the item at fault fails. One batch is worked at a time: the next
    one fills meanwhile.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        pace_seconds: float = PACE_SECONDS,
        largest_batch: int = LARGEST_BATCH,
    ) -> None:
        self._work = work
        self._pace = Pace(pace_seconds)
        self._largest_batch = largest_batch
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._runner: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        """Returns this item's result once its batch is done; raises what `work` raised for it alone."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            if len(self._waiting) < self._largest_batch:
                await self._pace.wait()
            batch, self._waiting = self._waiting[: self._largest_batch], self._waiting[self._largest_batch :]
            await self._settle(batch)

    async def _settle(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._persistently([item for item, _ in batch])
        except Exception as error:
            if len(batch) == 1:
                _fail(batch[0][1], error)
                return
            for one in batch:
                await self._settle([one])
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)

    async def _persistently(self, items: list[Item]) -> Sequence[Result]:
        async for attempt in AsyncRetrying(
            wait=wait_random_exponential(multiplier=0.05, max=2), retry=retry_if_exception_type(TRANSIENT_ERRORS)
        ):
            with attempt:
                return await self._work(items)
        raise AssertionError("unreachable: the loop above never stops")


def _fail(future: asyncio.Future[Result], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
