"""Close the live streams as soon as the process is told to stop.

uvicorn waits for open connections before it ends the lifespan, and a stream never ends by itself: without this a stop
would take the whole drain timeout.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def on_stop_signal(work: Callable[[], None]) -> Iterator[None]:
    """Run `work` in the event loop when SIGTERM or SIGINT comes, then what was there before (the server's own)."""
    if threading.current_thread() is not threading.main_thread():
        yield  # under a test's own server there are no signals to take
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(work)
        previous = before[signal.Signals(number)]
        if callable(previous):
            previous(number, frame)

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
