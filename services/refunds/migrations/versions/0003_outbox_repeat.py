"""An emptied broker is sent the last day again step by step; how far it came is kept (docs/decisions/0064)."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    "CREATE INDEX IF NOT EXISTS outbox_age ON outbox USING brin (created_at) WITH (autosummarize = on)",
    """
    CREATE TABLE outbox_repeat (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        since timestamptz NOT NULL,
        before_at timestamptz,
        before_id bigint
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
