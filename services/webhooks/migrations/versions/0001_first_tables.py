"""Endpoints, events, deliveries, attempts, counts and replays."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE idempotency_keys (
        merchant_id uuid NOT NULL, key text NOT NULL, fingerprint bytea NOT NULL, resource_id text,
        status smallint, body text, created_at timestamptz NOT NULL, PRIMARY KEY (merchant_id, key))
    """,
    "CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at)",
    """
    CREATE TABLE endpoints (
        merchant_id uuid NOT NULL, id text NOT NULL, url text, description text,
        is_default boolean NOT NULL, is_enabled boolean NOT NULL, disabled_reason text,
        event_types text[], schedule text NOT NULL CHECK (schedule IN ('default', 'extended')),
        created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, deleted_at timestamptz,
        PRIMARY KEY (merchant_id, id), CHECK (is_default OR url IS NOT NULL))
    """,
    "CREATE UNIQUE INDEX endpoints_id ON endpoints (id)",
    "CREATE UNIQUE INDEX endpoints_default ON endpoints (merchant_id) WHERE is_default AND deleted_at IS NULL",
    """
    CREATE TABLE endpoint_secrets (
        endpoint_id text NOT NULL, number bigint GENERATED ALWAYS AS IDENTITY, sealed text NOT NULL,
        created_at timestamptz NOT NULL, expires_at timestamptz, PRIMARY KEY (endpoint_id, number))
    """,
    """
    CREATE TABLE endpoint_health (
        endpoint_id text PRIMARY KEY, merchant_id uuid NOT NULL, state text NOT NULL,
        consecutive_failures integer NOT NULL, failing_since timestamptz, is_missing boolean NOT NULL,
        missing_since timestamptz, next_probe_at timestamptz, probe_failures integer NOT NULL,
        stumbles integer NOT NULL, leased_until timestamptz)
    """,
    """
    CREATE TABLE events (
        merchant_id uuid NOT NULL, id text NOT NULL, created_at timestamptz NOT NULL, type text NOT NULL,
        payment_id text, sequence integer NOT NULL, body text NOT NULL, request_id text NOT NULL,
        PRIMARY KEY (merchant_id, id, created_at)) PARTITION BY RANGE (created_at)
    """,
    "CREATE TABLE events_default PARTITION OF events DEFAULT",
    "CREATE INDEX events_by_time ON events (merchant_id, created_at, id)",
    "CREATE INDEX events_by_payment ON events (merchant_id, payment_id)",
    """
    CREATE TABLE deliveries (
        merchant_id uuid NOT NULL, created_at timestamptz NOT NULL, id uuid NOT NULL,
        event_id text NOT NULL, endpoint_id text NOT NULL, event_type text NOT NULL,
        status text NOT NULL CHECK (status IN ('pending', 'success', 'failed', 'skipped', 'cancelled')),
        reason text, round smallint NOT NULL DEFAULT 1, attempts smallint NOT NULL DEFAULT 0,
        attempts_made integer NOT NULL DEFAULT 0, round_started_at timestamptz NOT NULL,
        next_retry_at timestamptz, claimed_until timestamptz, woken_at timestamptz,
        last_attempt_at timestamptz, response_code smallint,
        PRIMARY KEY (merchant_id, created_at, id)) PARTITION BY RANGE (created_at)
    """,
    "CREATE TABLE deliveries_default PARTITION OF deliveries DEFAULT",
    "CREATE INDEX deliveries_by_state ON deliveries (merchant_id, event_type, status, created_at, id)",
    "CREATE INDEX deliveries_due ON deliveries (endpoint_id, next_retry_at) WHERE status = 'pending'",
    "CREATE INDEX deliveries_failed ON deliveries (endpoint_id, created_at) WHERE status = 'failed'",
    """
    CREATE TABLE attempts (
        delivery_id uuid NOT NULL, number integer NOT NULL, created_at timestamptz NOT NULL,
        round smallint NOT NULL, attempt smallint NOT NULL, kind text NOT NULL, url text NOT NULL,
        started_at timestamptz NOT NULL, duration_ms real NOT NULL, dns_ms real, connect_ms real, tls_ms real,
        first_byte_ms real, address text, response_code smallint, error text,
        request_headers text NOT NULL, response_headers text, response_body text,
        PRIMARY KEY (delivery_id, number, created_at)) PARTITION BY RANGE (created_at)
    """,
    "CREATE TABLE attempts_default PARTITION OF attempts DEFAULT",
    """
    CREATE TABLE delivery_counts (
        merchant_id uuid NOT NULL, day date NOT NULL, endpoint_id text NOT NULL, event_type text NOT NULL,
        status text NOT NULL, count bigint NOT NULL,
        PRIMARY KEY (merchant_id, day, endpoint_id, event_type, status))
    """,
    """
    CREATE TABLE delivery_count_changes (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, merchant_id uuid NOT NULL, day date NOT NULL,
        endpoint_id text NOT NULL, event_type text NOT NULL, status text NOT NULL, change bigint NOT NULL)
    """,
    "CREATE INDEX delivery_count_changes_merchant ON delivery_count_changes (merchant_id)",
    # Counting belongs to the table, not to each of the statements that change it: none can forget it.
    """
    CREATE FUNCTION count_inserted_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO delivery_count_changes (merchant_id, day, endpoint_id, event_type, status, change)
        SELECT merchant_id, (created_at AT TIME ZONE 'UTC')::date, endpoint_id, event_type, status, count(*)
        FROM new_rows GROUP BY 1, 2, 3, 4, 5;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION count_updated_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO delivery_count_changes (merchant_id, day, endpoint_id, event_type, status, change)
        SELECT merchant_id, (created_at AT TIME ZONE 'UTC')::date, endpoint_id, event_type, status, sum(change)
        FROM (SELECT merchant_id, created_at, endpoint_id, event_type, status, 1 AS change FROM new_rows
              UNION ALL
              SELECT merchant_id, created_at, endpoint_id, event_type, status, -1 FROM old_rows) AS changed
        GROUP BY 1, 2, 3, 4, 5 HAVING sum(change) <> 0;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER count_inserted AFTER INSERT ON deliveries REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_inserted_deliveries()
    """,
    """
    CREATE TRIGGER count_updated AFTER UPDATE ON deliveries REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_updated_deliveries()
    """,
    """
    CREATE TABLE replays (
        merchant_id uuid NOT NULL, id uuid NOT NULL,
        status text NOT NULL CHECK (status IN ('running', 'paused', 'cancelled', 'completed')),
        since timestamptz NOT NULL, until timestamptz NOT NULL, event_type text, delivery_status text,
        endpoint_id text, per_second integer NOT NULL, total bigint NOT NULL, queued bigint NOT NULL,
        cursor_created_at timestamptz, cursor_id uuid, created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL, leased_until timestamptz, PRIMARY KEY (merchant_id, id))
    """,
    "CREATE INDEX replays_running ON replays (status) WHERE status = 'running'",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("replays", "delivery_count_changes", "delivery_counts", "attempts", "deliveries", "events"):
        op.execute(f"DROP TABLE {table}")
    for table in ("endpoint_health", "endpoint_secrets", "endpoints", "idempotency_keys"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION count_inserted_deliveries, count_updated_deliveries")
