"""SIGTERM ends a command as Ctrl-C does."""

from __future__ import annotations

import signal


def end_on_sigterm() -> None:
    """By raising SIGINT, which asyncio turns into a cancellation: an exception raised by the handler itself would tear the
    event loop at whatever point it is, and nothing that a `finally` awaits would be done."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what is in its background with it ignored
    signal.signal(signal.SIGTERM, lambda _number, _frame: signal.raise_signal(signal.SIGINT))
