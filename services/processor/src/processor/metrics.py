"""What an operator watches of this service."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

IN_FLIGHT = Gauge("processor_in_flight", "Operations that are with the acquirer now", ["kind"])
ACQUIRER_SECONDS = Histogram(
    "processor_acquirer_seconds",
    "Time until the acquirer answered, or the client gave up",
    ["kind"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 30),
)
OUTCOMES = Counter("processor_outcomes_total", "What was learnt of operations", ["kind", "outcome"])
UNKNOWN = Gauge("processor_unknown_outcomes", "Operations whose outcome is not known yet")
OLDEST_UNKNOWN_SECONDS = Gauge("processor_oldest_unknown_seconds", "Age of the oldest operation with unknown outcome")
