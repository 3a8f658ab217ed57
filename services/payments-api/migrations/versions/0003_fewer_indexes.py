"""Indexes that nothing needs: each costs its share of every payment (docs/performance.md).

A payment's id is its own key, whose merchant it is stands in the row. Messages are found while they are unsent, and
idempotency keys by their age only to be deleted.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    "ALTER TABLE payments DROP CONSTRAINT payments_pkey",
    "ALTER TABLE payments ADD CONSTRAINT payments_pkey PRIMARY KEY USING INDEX payments_public_id",
    "ALTER TABLE outbox DROP CONSTRAINT IF EXISTS outbox_pkey",
    "DROP INDEX IF EXISTS idempotency_keys_age",
    "CREATE INDEX idempotency_keys_age ON idempotency_keys USING brin (created_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
