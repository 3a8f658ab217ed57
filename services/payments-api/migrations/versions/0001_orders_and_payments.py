"""Merchants, keys, orders, payments, rollups; outbox and idempotency fence."""

from __future__ import annotations

from alembic import op
from sqlalchemy import MetaData

from gateway_common.idempotency.fence import define_idempotency_keys
from gateway_common.outbox.tables import create_outbox

revision = "0001"
down_revision = None

STATEMENTS = (
    """
    CREATE TABLE merchants (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        email text NOT NULL,
        allowed_frame_origins text[],
        created_at timestamptz NOT NULL)
    """,
    "CREATE UNIQUE INDEX merchants_email ON merchants (lower(email))",
    """
    CREATE TABLE api_keys (
        id uuid PRIMARY KEY,
        merchant_id uuid NOT NULL REFERENCES merchants,
        key text NOT NULL UNIQUE,
        secret_hash bytea NOT NULL,
        signing_key text NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz)
    """,
    "CREATE INDEX api_keys_merchant ON api_keys (merchant_id, created_at)",
    """
    CREATE TABLE orders (
        merchant_id uuid NOT NULL,
        id text NOT NULL,
        amount bigint NOT NULL CHECK (amount >= 100),
        currency text NOT NULL,
        receipt text,
        notes text,
        multiple_payments boolean NOT NULL,
        is_ad_hoc boolean NOT NULL,
        status text NOT NULL DEFAULT 'created' CHECK (status IN ('created', 'paid')),
        amount_paid bigint NOT NULL DEFAULT 0 CHECK (amount_paid >= 0),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (merchant_id, id))
    WITH (fillfactor = 80)
    """,
    # An ad-hoc order's id is the merchant's own word, so two merchants may have the same.
    "CREATE UNIQUE INDEX orders_public_id ON orders (id) WHERE NOT is_ad_hoc",
    "CREATE INDEX orders_newest ON orders (merchant_id, created_at DESC, id DESC)",
    "CREATE INDEX orders_by_status ON orders (merchant_id, status, created_at DESC, id DESC)",
    """
    CREATE TABLE payments (
        merchant_id uuid NOT NULL,
        id text NOT NULL,
        order_id text NOT NULL,
        amount bigint NOT NULL CHECK (amount >= 100),
        currency text NOT NULL,
        method text NOT NULL CHECK (method IN ('upi', 'card')),
        vpa text,
        card_network text,
        card_last4 text,
        capture_mode text NOT NULL CHECK (capture_mode IN ('manual', 'automatic')),
        notes text,
        is_exclusive boolean NOT NULL,
        status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'success', 'failed', 'cancelled')),
        captured boolean NOT NULL DEFAULT false,
        amount_captured bigint NOT NULL DEFAULT 0 CHECK (amount_captured BETWEEN 0 AND amount),
        amount_refunded bigint NOT NULL DEFAULT 0 CHECK (amount_refunded BETWEEN 0 AND amount),
        refund_version integer NOT NULL DEFAULT 0,
        error_code text,
        error_description text,
        error_reason text,
        sequence integer NOT NULL DEFAULT 2,
        card_token text,
        created_message_id text NOT NULL,
        request_id text NOT NULL,
        traceparent text NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        decided_at timestamptz,
        captured_at timestamptz,
        capture_request_id text,
        cancelled_at timestamptz,
        cancel_request_id text,
        redriven_at timestamptz,
        redriven_count smallint NOT NULL DEFAULT 0,
        PRIMARY KEY (merchant_id, id),
        CHECK (NOT captured OR status = 'success'))
    WITH (fillfactor = 85)
    """,
    "CREATE UNIQUE INDEX payments_public_id ON payments (id)",
    # One pending or successful payment per order that takes one payment: held here, whatever runs at the same time.
    """
    CREATE UNIQUE INDEX payments_one_per_order ON payments (merchant_id, order_id)
    WHERE is_exclusive AND status IN ('pending', 'success')
    """,
    # Few rows at any time: what the sweeper and the counts of pending payments read.
    "CREATE INDEX payments_pending ON payments (created_at, merchant_id) WHERE status = 'pending'",
    "CREATE INDEX payments_newest ON payments (merchant_id, created_at DESC, id DESC)",
    # A filter on one of the two is the union of the few values of the other (repositories/payment_lists.py).
    "CREATE INDEX payments_by_state ON payments (merchant_id, status, method, created_at DESC, id DESC)",
    "CREATE INDEX payments_by_order ON payments (merchant_id, order_id, created_at DESC, id DESC)",
    """
    CREATE INDEX payments_by_instrument
    ON payments (merchant_id, lower(coalesce(vpa, card_last4)), created_at DESC, id DESC)
    """,
    """
    CREATE TABLE payment_rollups (
        merchant_id uuid NOT NULL,
        hour timestamptz NOT NULL,
        success_count bigint NOT NULL DEFAULT 0,
        failed_count bigint NOT NULL DEFAULT 0,
        cancelled_count bigint NOT NULL DEFAULT 0,
        amount bigint NOT NULL DEFAULT 0,
        amount_refunded bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (merchant_id, hour))
    WITH (fillfactor = 50)
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    define_idempotency_keys(metadata := MetaData())
    metadata.create_all(op.get_bind())
    create_outbox()
