"""The tables of schema `webhooks`, for composing queries and for comparing with the migrations."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, REAL

from gateway_common.idempotency.fence import define_idempotency_keys

metadata = MetaData()
_TIME = DateTime(timezone=True)

idempotency_keys = define_idempotency_keys(metadata)

endpoints = Table(
    "endpoints",
    metadata,
    Column("merchant_id", Uuid(), primary_key=True),
    Column("id", Text, primary_key=True, comment="we_…"),
    Column("url", Text, comment="null only for a default endpoint that is not set"),
    Column("description", Text),
    Column("is_default", Boolean, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("disabled_reason", Text, comment="'merchant' or 'gone' (the endpoint answered 410)"),
    Column("event_types", ARRAY(Text), comment="null for all"),
    Column("schedule", Text, nullable=False, comment="'default' or 'extended'"),
    Column("created_at", _TIME, nullable=False),
    Column("updated_at", _TIME, nullable=False),
    Column("deleted_at", _TIME),
    Index("endpoints_id", "id", unique=True),
    Index("endpoints_default", "merchant_id", unique=True, postgresql_where=text("is_default AND deleted_at IS NULL")),
)

endpoint_secrets = Table(
    "endpoint_secrets",
    metadata,
    Column("endpoint_id", Text, primary_key=True),
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("sealed", Text, nullable=False, comment="AES-256-GCM, see sealing.py"),
    Column("created_at", _TIME, nullable=False),
    Column("expires_at", _TIME, comment="null for the current secret"),
)

endpoint_health = Table(
    "endpoint_health",
    metadata,
    Column("endpoint_id", Text, primary_key=True),
    Column("merchant_id", Uuid(), nullable=False),
    Column("state", Text, nullable=False),
    Column("consecutive_failures", Integer, nullable=False),
    Column("failing_since", _TIME),
    Column("is_missing", Boolean, nullable=False),
    Column("missing_since", _TIME),
    Column("next_probe_at", _TIME),
    Column("probe_failures", Integer, nullable=False),
    Column("stumbles", Integer, nullable=False),
    Column("leased_until", _TIME, comment="one worker probes or recovers an endpoint at a time"),
)

events = Table(
    "events",
    metadata,
    Column("merchant_id", Uuid(), primary_key=True),
    Column("id", Text, primary_key=True, comment="evt_…"),
    Column("created_at", _TIME, primary_key=True, comment="when it happened, whole milliseconds"),
    Column("type", Text, nullable=False),
    Column("payment_id", Text),
    Column("sequence", Integer, nullable=False),
    Column("body", Text, nullable=False, comment="sent byte for byte"),
    Column("request_id", Text, nullable=False),
    Index("events_by_time", "merchant_id", "created_at", "id"),
    Index("events_by_payment", "merchant_id", "payment_id"),
    postgresql_partition_by="RANGE (created_at)",
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("merchant_id", Uuid(), primary_key=True),
    Column("created_at", _TIME, primary_key=True, comment="the event's; also inside the id"),
    Column("id", Uuid(), primary_key=True),
    Column("event_id", Text, nullable=False),
    Column("endpoint_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("round", SmallInteger, nullable=False, server_default="1"),
    Column("attempts", SmallInteger, nullable=False, server_default="0", comment="made in this round"),
    Column("attempts_made", Integer, nullable=False, server_default="0", comment="made in all rounds"),
    Column("round_started_at", _TIME, nullable=False),
    Column("next_retry_at", _TIME, comment="null when settled, and while held for an endpoint that is down"),
    Column("claimed_until", _TIME),
    Column("woken_at", _TIME, comment="when the sweeper last put it into the queue"),
    Column("last_attempt_at", _TIME),
    Column("response_code", SmallInteger),
    Index("deliveries_by_state", "merchant_id", "event_type", "status", "created_at", "id"),
    Index("deliveries_due", "endpoint_id", "next_retry_at", postgresql_where=text("status = 'pending'")),
    Index("deliveries_failed", "endpoint_id", "created_at", postgresql_where=text("status = 'failed'")),
    postgresql_partition_by="RANGE (created_at)",
)

attempts = Table(
    "attempts",
    metadata,
    Column("delivery_id", Uuid(), primary_key=True),
    Column("number", Integer, primary_key=True, comment="over all rounds"),
    Column("created_at", _TIME, primary_key=True, comment="the delivery's"),
    Column("round", SmallInteger, nullable=False),
    Column("attempt", SmallInteger, nullable=False, comment="in its round"),
    Column("kind", Text, nullable=False, comment="'scheduled', 'probe' or 'recovery'"),
    Column("url", Text, nullable=False),
    Column("started_at", _TIME, nullable=False),
    Column("duration_ms", REAL, nullable=False),
    Column("dns_ms", REAL),
    Column("connect_ms", REAL),
    Column("tls_ms", REAL),
    Column("first_byte_ms", REAL),
    Column("address", Text),
    Column("response_code", SmallInteger),
    Column("error", Text),
    Column("request_headers", Text, nullable=False, comment="JSON"),
    Column("response_headers", Text, comment="JSON"),
    Column("response_body", Text),
    postgresql_partition_by="RANGE (created_at)",
)

delivery_counts = Table(
    "delivery_counts",
    metadata,
    Column("merchant_id", Uuid(), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("endpoint_id", Text, primary_key=True),
    Column("event_type", Text, primary_key=True),
    Column("status", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

delivery_count_changes = Table(
    "delivery_count_changes",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("merchant_id", Uuid(), nullable=False),
    Column("day", Date, nullable=False),
    Column("endpoint_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    Index("delivery_count_changes_merchant", "merchant_id"),
)

replays = Table(
    "replays",
    metadata,
    Column("merchant_id", Uuid(), primary_key=True),
    Column("id", Uuid(), primary_key=True),
    Column("status", Text, nullable=False, comment="running, paused, cancelled or completed"),
    Column("since", _TIME, nullable=False),
    Column("until", _TIME, nullable=False),
    Column("event_type", Text),
    Column("delivery_status", Text),
    Column("endpoint_id", Text),
    Column("per_second", Integer, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("queued", BigInteger, nullable=False),
    Column("cursor_created_at", _TIME),
    Column("cursor_id", Uuid()),
    Column("created_at", _TIME, nullable=False),
    Column("updated_at", _TIME, nullable=False),
    Column("leased_until", _TIME),
    Index("replays_running", "status", postgresql_where=text("status = 'running'")),
)
