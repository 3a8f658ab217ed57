"""What was asked of the acquirer, and the outbox."""

from alembic import op

from gateway_common.outbox.tables import create_outbox

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE acquirer_operations (
            merchant_id uuid NOT NULL,
            payment_id text NOT NULL,
            kind text NOT NULL,
            reference text NOT NULL,
            amount bigint NOT NULL,
            currency text NOT NULL,
            method text NOT NULL,
            outcome text NOT NULL,
            reason text,
            description text,
            acquirer_reference text,
            attempts integer NOT NULL,
            asked_at timestamptz NOT NULL,
            gave_up_at timestamptz,
            answered_at timestamptz,
            inquiries integer NOT NULL DEFAULT 0,
            last_inquired_at timestamptz,
            next_inquiry_at timestamptz,
            result_message_id text,
            told_at timestamptz,
            request_id text NOT NULL,
            traceparent text NOT NULL,
            PRIMARY KEY (merchant_id, payment_id, kind, reference),
            CONSTRAINT acquirer_operations_kind CHECK (kind IN ('charge', 'refund')),
            CONSTRAINT acquirer_operations_outcome CHECK (outcome IN ('unknown', 'succeeded', 'declined')),
            CONSTRAINT acquirer_operations_answered CHECK ((outcome = 'unknown') = (answered_at IS NULL)),
            CONSTRAINT acquirer_operations_inquiry CHECK ((outcome = 'unknown') = (next_inquiry_at IS NOT NULL))
        )
        """
    )
    op.execute(
        "CREATE INDEX acquirer_operations_unknown ON acquirer_operations (next_inquiry_at) WHERE outcome = 'unknown'"
    )
    create_outbox()
