"""Where the time of one attempt went. The client's parts find the attempt at hand through a context variable."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Timings:
    """Milliseconds; None for a step that was not needed because a connection was open already."""

    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    address: str | None = None
    is_reused: bool = False
    # time.perf_counter() marks between which the above are measured
    connect_started: float = 0.0
    tls_started: float = 0.0


current_timings: ContextVar[Timings] = ContextVar("current_timings")
