"""This service's schema: what was asked of the acquirer, and the outbox with its results."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
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

from gateway_common.outbox.tables import define_outbox, define_outbox_repeat

metadata = MetaData()

outbox = define_outbox(metadata)
outbox_repeat = define_outbox_repeat(metadata)

acquirer_operations = Table(
    "acquirer_operations",
    metadata,
    Column("merchant_id", Uuid(), nullable=False),
    Column("payment_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reference", Text, nullable=False, comment="payment id of a charge, refund id of a refund"),
    Column("amount", BigInteger, nullable=False, comment="smallest currency unit"),
    Column("currency", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("description", Text),
    Column("acquirer_reference", Text),
    Column("attempts", Integer, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("gave_up_at", DateTime(timezone=True), comment="no answer by then: the outcome became unknown"),
    Column("answered_at", DateTime(timezone=True)),
    Column("inquiries", Integer, nullable=False, server_default="0"),
    Column("last_inquired_at", DateTime(timezone=True)),
    Column("next_inquiry_at", DateTime(timezone=True)),
    Column("result_message_id", Text, comment="message id of the result event"),
    Column("told_at", DateTime(timezone=True), comment="when the result event was last written"),
    Column("request_id", Text, nullable=False),
    Column("traceparent", Text, nullable=False),
    PrimaryKeyConstraint("merchant_id", "payment_id", "kind", "reference"),
    CheckConstraint("kind IN ('charge', 'refund')", name="acquirer_operations_kind"),
    CheckConstraint("outcome IN ('unknown', 'succeeded', 'declined')", name="acquirer_operations_outcome"),
    CheckConstraint("(outcome = 'unknown') = (answered_at IS NULL)", name="acquirer_operations_answered"),
    # Every unknown outcome has a time at which the sweeper asks again; nothing else has.
    CheckConstraint("(outcome = 'unknown') = (next_inquiry_at IS NOT NULL)", name="acquirer_operations_inquiry"),
    Index("acquirer_operations_unknown", "next_inquiry_at", postgresql_where=text("outcome = 'unknown'")),
)
