"""Users, sessions, sign-in limits, and the webhook inspector."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    uuid = postgresql.UUID(as_uuid=True)
    op.create_table(
        "users",
        sa.Column("id", uuid, primary_key=True),
        sa.Column("merchant_id", uuid, nullable=False),
        sa.Column("email", sa.Text, nullable=False, unique=True),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("created_at", moment, nullable=False, server_default=sa.func.now()),
        sa.Column("password_changed_at", moment, nullable=False, server_default=sa.func.now()),
    )
    op.create_index("users_of_merchant", "users", ["merchant_id"])
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        sa.Column("user_id", uuid, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("last_seen_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
    )
    op.create_index("sessions_of_user", "sessions", ["user_id"])
    op.create_index("sessions_by_expiry", "sessions", ["expires_at"])
    op.create_table(
        "sign_in_limits",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("locked_until", moment),
        sa.Column("updated_at", moment, nullable=False),
    )
    op.create_index("sign_in_limits_by_age", "sign_in_limits", ["updated_at"])
    op.create_table(
        "inspectors",
        sa.Column("merchant_id", uuid, primary_key=True),
        sa.Column("token", sa.Text, nullable=False, unique=True),
        sa.Column("answer_status", sa.Integer, nullable=False, server_default="200"),
        sa.Column("answer_delay_ms", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_table(
        "inspections",
        sa.Column("merchant_id", uuid, nullable=False),
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("event", sa.Text),
        sa.Column("event_id", sa.Text),
        sa.Column("attempt", sa.Integer),
        sa.Column("payment_id", sa.Text),
        sa.Column("headers", postgresql.JSONB, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("is_verified", sa.Boolean, nullable=False),
        sa.Column("verified_by", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("answered_status", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("merchant_id", "id"),
    )
