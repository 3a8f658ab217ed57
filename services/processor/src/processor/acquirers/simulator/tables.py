"""The bank's own books, in a schema and role of its own: what an auditor compares the gateway with."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

metadata = MetaData()

operations = Table(
    "operations",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True, comment="makes the bank's reference number"),
    Column("kind", Text, nullable=False),
    Column("reference", Text, nullable=False, comment="payment id of a charge, refund id of a refund"),
    Column("payment_id", Text, nullable=False),
    Column("merchant_id", Uuid(), nullable=False),
    Column("amount", BigInteger, nullable=False, comment="smallest currency unit"),
    Column("currency", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("asked_count", Integer, nullable=False, server_default="1"),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("kind", "reference", name="operations_once"),
    CheckConstraint("kind IN ('charge', 'refund')", name="operations_kind"),
    CheckConstraint("outcome IN ('succeeded', 'declined')", name="operations_outcome"),
    CheckConstraint("amount > 0", name="operations_amount"),
)
