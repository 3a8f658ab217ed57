"""Prometheus metrics of the webhooks service."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

EVENTS_PLANNED = Counter("gateway_webhook_events_planned_total", "Events turned into deliveries")
ATTEMPTS = Counter("gateway_webhook_attempts_total", "Attempts by kind and outcome", ["kind", "outcome"])
ATTEMPT_SECONDS = Histogram("gateway_webhook_attempt_seconds", "Duration of an attempt", buckets=_BUCKETS)
FIRST_ATTEMPT_LAG_SECONDS = Histogram(
    "gateway_webhook_first_attempt_lag_seconds", "From event to first attempt", buckets=(*_BUCKETS, 30, 60, 300)
)
IN_FLIGHT = Gauge("gateway_webhook_requests_in_flight", "Requests to merchants under way")
DELIVERIES = Gauge("gateway_webhook_deliveries", "Deliveries within the retention", ["status"])
OLDEST_DUE_SECONDS = Gauge("gateway_webhook_oldest_due_seconds", "How overdue the oldest due delivery is")
BREAKERS = Gauge("gateway_webhook_breakers", "Endpoints by breaker state", ["state"])
PARKED_DEPTH = Gauge("gateway_webhook_parked_messages", "Poison messages put aside", ["queue"])
SWEPT = Counter("gateway_webhook_swept_total", "Overdue deliveries that the sweeper put into the queue")
RECOVERED = Counter("gateway_webhook_recovered_total", "Missed deliveries sent after an outage", ["outcome"])
