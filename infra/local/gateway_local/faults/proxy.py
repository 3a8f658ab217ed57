"""A loopback TCP proxy per connection between a service and a server, which can cut, delay and throttle it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from gateway_local.ports import LOOPBACK

CHUNK_BYTES = 64 * 1024


@dataclass(slots=True)
class Conditions:
    """What the line is like now.

    `is_cut`: open connections go silent and new ones are not answered, as when a cable is pulled; once it is mended,
    connections from before are reset. `delay_s` is added in each direction. `bytes_per_s` bounds each direction.
    """

    is_cut: bool = False
    delay_s: float = 0.0
    bytes_per_s: float | None = None


class Line:
    """Listens on a port of its own and leads to `target()`, asked at each connection: a server may move."""

    def __init__(self, target: Callable[[], int]) -> None:
        self.conditions = Conditions()
        self._target = target
        self._server: asyncio.Server | None = None
        self._mended = asyncio.Event()
        self._mended.set()
        self._open: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, LOOPBACK, 0)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.reset()
        await asyncio.gather(*self._open, return_exceptions=True)

    def cut(self) -> None:
        self.conditions.is_cut = True
        self._mended.clear()

    def mend(self) -> None:
        """Back to a perfect line."""
        was_cut = self.conditions.is_cut
        self.conditions = Conditions()
        self._mended.set()
        if was_cut:
            self.reset()

    def reset(self) -> None:
        """Ends all open connections."""
        for task in self._open:
            task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._lead(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # the one end or the other has gone; who was cancelled here was reset by us
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._mended.wait()
        far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._target())
        try:
            there = asyncio.create_task(self._pump(reader, far_writer))
            back = asyncio.create_task(self._pump(far_reader, writer))
            try:
                await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (there, back):
                    task.cancel()
                await asyncio.gather(there, back, return_exceptions=True)
        finally:
            far_writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the reader's end is reached. A delayed chunk does not hold up the reading of the next one."""
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=256)
        writing = asyncio.create_task(self._write(queue, writer))
        loop = asyncio.get_running_loop()
        try:
            while chunk := await reader.read(CHUNK_BYTES):
                await queue.put((loop.time() + self.conditions.delay_s, chunk))
            await queue.put((loop.time(), b""))
            await writing
        finally:
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await writing

    async def _write(self, queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, chunk = await queue.get()
            if not chunk:
                return
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            if rate := self.conditions.bytes_per_s:
                await asyncio.sleep(len(chunk) / rate)
            await self._mended.wait()
            writer.write(chunk)
            await writer.drain()
