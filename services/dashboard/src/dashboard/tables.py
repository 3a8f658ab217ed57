"""The schema `dashboard`: who may sign in, their sessions, and what the webhook inspector received. No payment data."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

metadata = MetaData()

users = Table(
    "users",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("merchant_id", UUID(as_uuid=True), nullable=False),
    # Lower case, so that one address is one account.
    Column("email", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("password_changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("users_of_merchant", "merchant_id"),
)

sessions = Table(
    "sessions",
    metadata,
    # SHA-256 of the cookie: whoever reads the table cannot sign in with it.
    Column("token_hash", LargeBinary, primary_key=True),
    Column("user_id", UUID(as_uuid=True), ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("last_seen_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("sessions_of_user", "user_id"),
    Index("sessions_by_expiry", "expires_at"),
)

sign_in_limits = Table(
    "sign_in_limits",
    metadata,
    # `account:<email>` or `address:<ip>`.
    Column("subject", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("locked_until", DateTime(timezone=True)),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Index("sign_in_limits_by_age", "updated_at"),
)

inspectors = Table(
    "inspectors",
    metadata,
    Column("merchant_id", UUID(as_uuid=True), primary_key=True),
    Column("token", Text, nullable=False, unique=True),
    Column("answer_status", Integer, nullable=False, server_default="200"),
    Column("answer_delay_ms", Integer, nullable=False, server_default="0"),
)

inspections = Table(
    "inspections",
    metadata,
    Column("merchant_id", UUID(as_uuid=True), nullable=False),
    Column("id", BigInteger, Identity(), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("event", Text),
    Column("event_id", Text),
    Column("attempt", Integer),
    Column("payment_id", Text),
    Column("headers", JSONB, nullable=False),
    # Text, not JSONB: the signature is over these very bytes.
    Column("body", Text, nullable=False),
    Column("is_verified", Boolean, nullable=False),
    Column("verified_by", ARRAY(Text), nullable=False),
    Column("answered_status", Integer, nullable=False),
    PrimaryKeyConstraint("merchant_id", "id"),
)
