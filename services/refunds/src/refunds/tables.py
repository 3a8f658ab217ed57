"""This service's schema."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)

from gateway_common.idempotency.fence import define_idempotency_keys
from gateway_common.outbox.tables import define_outbox, define_outbox_repeat

metadata = MetaData()

outbox = define_outbox(metadata)
outbox_repeat = define_outbox_repeat(metadata)
idempotency_keys = define_idempotency_keys(metadata)

balances = Table(
    "balances",
    metadata,
    Column("merchant_id", Uuid(), nullable=False),
    Column("payment_id", Text, nullable=False),
    Column("amount", BigInteger, nullable=False, comment="smallest currency unit"),
    Column("currency", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("settlement", Text),
    Column("amount_captured", BigInteger, nullable=False, server_default="0"),
    Column("amount_pending", BigInteger, nullable=False, server_default="0"),
    Column("amount_refunded", BigInteger, nullable=False, server_default="0"),
    Column("amount_released", BigInteger, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("merchant_id", "payment_id"),
    CheckConstraint("settlement IN ('capture', 'cancel')", name="balances_settlement"),
    CheckConstraint(
        "amount > 0 AND amount_captured >= 0 AND amount_pending >= 0 AND amount_refunded >= 0 AND amount_released >= 0",
        name="balances_not_negative",
    ),
    # The cap itself: whatever the code above it does, no more can leave than came in.
    CheckConstraint(
        "amount_pending + amount_refunded <= CASE WHEN settlement = 'capture'"
        " THEN least(amount, amount_captured + amount_released) ELSE amount END",
        name="balances_cap",
    ),
)

refunds = Table(
    "refunds",
    metadata,
    Column("merchant_id", Uuid(), nullable=False),
    Column("id", Text, nullable=False),
    Column("payment_id", Text, nullable=False),
    Column("amount", BigInteger, nullable=False, comment="smallest currency unit"),
    Column("currency", Text, nullable=False),
    Column("reason", Text),
    Column("notes", Text, comment="JSON, as text so that its keys keep their order"),
    Column("status", Text, nullable=False),
    Column("is_release", Boolean, nullable=False, comment="began before the payment was captured or cancelled"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("processed_at", DateTime(timezone=True)),
    Column("failed_at", DateTime(timezone=True)),
    Column("error_reason", Text),
    Column("error_description", Text),
    Column("requested_at", DateTime(timezone=True), nullable=False, comment="when the processor was last asked"),
    Column("request_message_id", Text, nullable=False, comment="message id of refund.requested"),
    Column("request_id", Text, nullable=False),
    Column("traceparent", Text, nullable=False),
    PrimaryKeyConstraint("merchant_id", "id"),
    CheckConstraint("status IN ('pending', 'processed', 'failed')", name="refunds_status"),
    CheckConstraint("amount > 0", name="refunds_amount"),
    Index("refunds_newest", "merchant_id", "created_at", "id"),
    Index("refunds_by_status", "merchant_id", "status", "created_at", "id"),
    Index("refunds_of_payment", "merchant_id", "payment_id", "created_at", "id"),
    Index("refunds_overdue", "requested_at", postgresql_where=text("status = 'pending'")),
)
