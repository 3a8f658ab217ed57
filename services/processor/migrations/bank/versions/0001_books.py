"""The simulated bank's books."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE operations (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            kind text NOT NULL,
            reference text NOT NULL,
            payment_id text NOT NULL,
            merchant_id uuid NOT NULL,
            amount bigint NOT NULL,
            currency text NOT NULL,
            outcome text NOT NULL,
            reason text,
            asked_count integer NOT NULL DEFAULT 1,
            decided_at timestamptz NOT NULL,
            CONSTRAINT operations_once UNIQUE (kind, reference),
            CONSTRAINT operations_kind CHECK (kind IN ('charge', 'refund')),
            CONSTRAINT operations_outcome CHECK (outcome IN ('succeeded', 'declined')),
            CONSTRAINT operations_amount CHECK (amount > 0)
        )
        """
    )
