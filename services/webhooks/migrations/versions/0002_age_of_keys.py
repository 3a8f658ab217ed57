"""Idempotency keys are found by their age only to be deleted: a summary will do (docs/performance.md)."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("DROP INDEX IF EXISTS idempotency_keys_age")
    op.execute("CREATE INDEX idempotency_keys_age ON idempotency_keys USING brin (created_at)")
