"""The tables of schema `payments`, for composed queries and for the check that migrations and code agree."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)

from gateway_common.idempotency.fence import define_idempotency_keys
from gateway_common.outbox.tables import define_outbox, define_outbox_repeat

metadata = MetaData()
outbox = define_outbox(metadata)
outbox_repeat = define_outbox_repeat(metadata)
idempotency_keys = define_idempotency_keys(metadata)


def _moment(name: str, *, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


merchants = Table(
    "merchants",
    metadata,
    Column("id", Uuid(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("allowed_frame_origins", ARRAY(Text)),
    _moment("created_at", nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Uuid(), primary_key=True),
    Column("merchant_id", Uuid(), nullable=False),
    Column("key", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("signing_key", Text, nullable=False, comment="signs checkout results (WEB.md)"),
    _moment("created_at", nullable=False),
    _moment("expires_at"),
)

orders = Table(
    "orders",
    metadata,
    Column("merchant_id", Uuid(), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("receipt", Text),
    Column("notes", Text, comment="JSON text, so that its keys stay in order"),
    Column("multiple_payments", Boolean, nullable=False),
    Column("is_ad_hoc", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("amount_paid", BigInteger, nullable=False),
    _moment("created_at", nullable=False),
    _moment("updated_at", nullable=False),
)

payments = Table(
    "payments",
    metadata,
    Column("merchant_id", Uuid(), nullable=False),
    Column("id", Text, primary_key=True),
    Column("order_id", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("vpa", Text),
    Column("card_network", Text),
    Column("card_last4", Text),
    Column("capture_mode", Text, nullable=False),
    Column("notes", Text),
    Column("is_exclusive", Boolean, nullable=False, comment="the order takes one payment"),
    Column("status", Text, nullable=False),
    Column("captured", Boolean, nullable=False),
    Column("amount_captured", BigInteger, nullable=False),
    Column("amount_refunded", BigInteger, nullable=False),
    Column("refund_version", Integer, nullable=False, comment="of the newest refund event applied"),
    Column("error_code", Text),
    Column("error_description", Text),
    Column("error_reason", Text),
    Column("sequence", Integer, nullable=False, comment="of the newest event known"),
    Column("card_token", Text),
    Column("created_message_id", Text, nullable=False, comment="of payment.created, for sending it again"),
    Column("request_id", Text, nullable=False),
    Column("traceparent", Text, nullable=False),
    _moment("created_at", nullable=False),
    _moment("updated_at", nullable=False),
    _moment("decided_at"),
    _moment("captured_at"),
    Column("capture_request_id", Text),
    _moment("cancelled_at"),
    Column("cancel_request_id", Text),
    _moment("redriven_at"),
    Column("redriven_count", SmallInteger, nullable=False),
    Column("refund_limit", BigInteger),
)

payment_rollups = Table(
    "payment_rollups",
    metadata,
    Column("merchant_id", Uuid(), primary_key=True),
    Column("hour", DateTime(timezone=True), primary_key=True, comment="of the payment's creation, UTC"),
    Column("success_count", BigInteger, nullable=False),
    Column("failed_count", BigInteger, nullable=False),
    Column("cancelled_count", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False, comment="sum of successful payments, less what a capture released"),
    Column("amount_refunded", BigInteger, nullable=False),
)
