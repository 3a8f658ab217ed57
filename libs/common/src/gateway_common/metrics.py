"""Prometheus metrics that every service has. A service's own metrics live next to the code they measure."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

LATENCY_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

HTTP_REQUESTS = Counter("gateway_http_requests_total", "Answered requests", ["method", "route", "status"])
HTTP_SECONDS = Histogram("gateway_http_request_seconds", "Time to answer", ["method", "route"], buckets=LATENCY_BUCKETS)
OUTBOX_SENT = Counter("gateway_outbox_sent_total", "Messages confirmed by the broker", ["type"])
OUTBOX_LAG_SECONDS = Gauge("gateway_outbox_lag_seconds", "Age of the oldest message that is not yet with the broker")
OUTBOX_REPUBLISHED = Counter(
    "gateway_outbox_republished_total", "Messages sent again because the broker had lost its memory"
)
BROKER_MEMORY_CHECKED = Gauge(
    "gateway_broker_memory_checked_timestamp_seconds",
    "When the relay last looked whether the broker has its memory, Unix time; 0 without a relay",
)
MESSAGES = Counter("gateway_messages_total", "Consumed messages", ["queue", "outcome"])
PARKED = Counter("gateway_messages_parked_total", "Poison messages put aside", ["queue"])
BATCH_SECONDS = Histogram(
    "gateway_batch_seconds", "Time to handle one batch of messages", ["queue"], buckets=LATENCY_BUCKETS
)
TASK_RESTARTS = Counter("gateway_task_restarts_total", "Background tasks started again after an error", ["task"])


def render() -> tuple[bytes, str]:
    """The exposition text and its content type."""
    return generate_latest(), CONTENT_TYPE_LATEST
