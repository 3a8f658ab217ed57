"""Latencies in numbers that can be compared: percentiles in milliseconds."""

from __future__ import annotations

import gc
import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds; all zero when nothing was measured."""

    count: int
    p50: float
    p95: float
    p99: float
    worst: float

    def __str__(self) -> str:
        return f"p50 {self.p50:.1f} ms, p95 {self.p95:.1f} ms, p99 {self.p99:.1f} ms, worst {self.worst:.0f} ms"


def summarise(seconds: Sequence[float]) -> Latency:
    """Nearest-rank percentiles: always a value that was really measured."""
    if not seconds:
        return Latency(0, 0.0, 0.0, 0.0, 0.0)
    ordered = sorted(seconds)

    def rank(share: float) -> float:
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)] * 1000

    return Latency(len(ordered), rank(0.5), rank(0.95), rank(0.99), ordered[-1] * 1000)


def leave_full_collections_out() -> None:
    """Keep Python from walking through all that a measuring process remembers.

    The longer a run, the longer that takes (0.3 s for 4,000 payments, every 500); whoever is due meanwhile waits, and it would
    be taken for the gateway's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 5, 1_000_000)
