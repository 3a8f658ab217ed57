"""Hands changes to the browser windows that may see them, in this process. Nothing here is kept: a window that missed
something is told to look again."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from prometheus_client import Gauge

_OPEN_STREAMS = Gauge("dashboard_live_streams", "Browser windows that listen for changes")

# A browser opens six connections to one host; windows beyond four would keep pages from loading.
STREAMS_PER_SESSION = 4
# A window that reads slower than this many changes is told once to look at everything again.
_QUEUE_LENGTH = 100

TOPICS = frozenset({"payments", "refunds", "deliveries", "inspections", "workers"})


@dataclass(frozen=True, slots=True)
class Change:
    """`kind` is a topic, or `resync` (look at everything again), `retired` (use polling), `closed` (sign in again)."""

    kind: str
    data: dict[str, Any] = field(default_factory=dict)


_FINAL = {"retired", "closed", "draining"}


class Stream:
    """One open window."""

    def __init__(self, merchant_id: UUID, session_id: bytes, topics: Iterable[str]) -> None:
        self.merchant_id = merchant_id
        self.session_id = session_id
        self.topics = frozenset(topics) & TOPICS
        self._queue: asyncio.Queue[Change] = asyncio.Queue(_QUEUE_LENGTH)

    def put(self, change: Change) -> None:
        if change.kind in TOPICS and change.kind not in self.topics:
            return
        if self._queue.full() or change.kind in _FINAL:
            while not self._queue.empty():
                self._queue.get_nowait()
            if change.kind not in _FINAL:
                change = Change("resync")
        self._queue.put_nowait(change)

    async def next(self, timeout_seconds: float) -> Change | None:
        """The next change; None when there was none for that long."""
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._queue.get()
        except TimeoutError:
            return None


class Hub:
    """All open windows, by merchant."""

    def __init__(self) -> None:
        self._streams: dict[UUID, list[Stream]] = defaultdict(list)
        self.is_draining = False
        self.watched = asyncio.Event()

    def open(self, stream: Stream) -> None:
        """The oldest window of a session makes room for a fifth; it goes on by polling."""
        mine = [one for one in self._streams[stream.merchant_id] if one.session_id == stream.session_id]
        for oldest in mine[: max(0, len(mine) - STREAMS_PER_SESSION + 1)]:
            self._remove(oldest)
            oldest.put(Change("retired"))
        self._streams[stream.merchant_id].append(stream)
        self.watched.set()
        _OPEN_STREAMS.inc()

    def close(self, stream: Stream) -> None:
        self._remove(stream)

    def watches(self, merchant_id: UUID) -> bool:
        return merchant_id in self._streams

    @property
    def is_watched(self) -> bool:
        return self.watched.is_set()

    def merchants_watching(self, topic: str) -> list[UUID]:
        return [
            merchant_id
            for merchant_id, streams in self._streams.items()
            if any(topic in stream.topics for stream in streams)
        ]

    def publish(self, merchant_id: UUID, change: Change) -> None:
        """To this merchant's windows only."""
        for stream in self._streams.get(merchant_id, ()):
            stream.put(change)

    def publish_to_all(self, change: Change) -> None:
        """For what is no merchant's own: the state of the workers, a lost broker."""
        for streams in list(self._streams.values()):
            for stream in streams:
                stream.put(change)

    def end_session(self, session_id: bytes) -> None:
        """After sign-out nothing more reaches its windows."""
        for stream in [one for streams in self._streams.values() for one in streams if one.session_id == session_id]:
            self._remove(stream)
            stream.put(Change("closed"))

    def drain(self) -> None:
        """The process is stopping: let every window go at once, it comes back to another copy."""
        self.is_draining = True
        self.publish_to_all(Change("draining"))

    def _remove(self, stream: Stream) -> None:
        streams = self._streams.get(stream.merchant_id)
        if streams is None or stream not in streams:
            return
        streams.remove(stream)
        _OPEN_STREAMS.dec()
        if not streams:
            del self._streams[stream.merchant_id]
        if not self._streams:
            self.watched.clear()
