"""What all refunds of a captured payment may reach together (docs/decisions/0020)."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE payments ADD COLUMN refund_limit bigint CHECK (refund_limit BETWEEN 0 AND amount)")
