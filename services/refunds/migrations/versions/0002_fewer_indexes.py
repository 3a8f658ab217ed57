"""Messages are found while they are unsent, idempotency keys by their age only to be deleted (docs/performance.md)."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    "ALTER TABLE outbox DROP CONSTRAINT IF EXISTS outbox_pkey",
    "DROP INDEX IF EXISTS idempotency_keys_age",
    "CREATE INDEX idempotency_keys_age ON idempotency_keys USING brin (created_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
