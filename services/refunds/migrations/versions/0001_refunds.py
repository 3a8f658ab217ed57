"""Balances, refunds, idempotency keys and the outbox."""

from alembic import op

from gateway_common.outbox.tables import create_outbox

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE balances (
            merchant_id uuid NOT NULL,
            payment_id text NOT NULL,
            amount bigint NOT NULL,
            currency text NOT NULL,
            sequence bigint NOT NULL,
            settlement text,
            amount_captured bigint NOT NULL DEFAULT 0,
            amount_pending bigint NOT NULL DEFAULT 0,
            amount_refunded bigint NOT NULL DEFAULT 0,
            amount_released bigint NOT NULL DEFAULT 0,
            version integer NOT NULL DEFAULT 0,
            PRIMARY KEY (merchant_id, payment_id),
            CONSTRAINT balances_settlement CHECK (settlement IN ('capture', 'cancel')),
            CONSTRAINT balances_not_negative CHECK (
                amount > 0 AND amount_captured >= 0 AND amount_pending >= 0 AND amount_refunded >= 0
                AND amount_released >= 0),
            CONSTRAINT balances_cap CHECK (
                amount_pending + amount_refunded <= CASE WHEN settlement = 'capture'
                THEN least(amount, amount_captured + amount_released) ELSE amount END)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE refunds (
            merchant_id uuid NOT NULL,
            id text NOT NULL,
            payment_id text NOT NULL,
            amount bigint NOT NULL,
            currency text NOT NULL,
            reason text,
            notes text,
            status text NOT NULL,
            is_release boolean NOT NULL,
            created_at timestamptz NOT NULL,
            processed_at timestamptz,
            failed_at timestamptz,
            error_reason text,
            error_description text,
            requested_at timestamptz NOT NULL,
            request_message_id text NOT NULL,
            request_id text NOT NULL,
            traceparent text NOT NULL,
            PRIMARY KEY (merchant_id, id),
            CONSTRAINT refunds_status CHECK (status IN ('pending', 'processed', 'failed')),
            CONSTRAINT refunds_amount CHECK (amount > 0)
        )
        """
    )
    op.execute("CREATE INDEX refunds_newest ON refunds (merchant_id, created_at, id)")
    op.execute("CREATE INDEX refunds_by_status ON refunds (merchant_id, status, created_at, id)")
    op.execute("CREATE INDEX refunds_of_payment ON refunds (merchant_id, payment_id, created_at, id)")
    op.execute("CREATE INDEX refunds_overdue ON refunds (requested_at) WHERE status = 'pending'")
    op.execute(
        """
        CREATE TABLE idempotency_keys (
            merchant_id uuid NOT NULL,
            key text NOT NULL,
            fingerprint bytea NOT NULL,
            resource_id text,
            status smallint,
            body text,
            created_at timestamptz NOT NULL,
            PRIMARY KEY (merchant_id, key)
        )
        """
    )
    op.execute("CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at)")
    create_outbox()
