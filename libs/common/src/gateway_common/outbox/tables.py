"""The outbox and inbox tables that every publishing or consuming service has in its own schema.

Both are partitioned by day. The inbox is partitioned by the *message's* time, so that `(message_id, message_time)`
is unique across partitions: a redelivered message carries the time it was first made.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)


def define_outbox(metadata: MetaData) -> Table:
    return Table(
        "outbox",
        metadata,
        # No primary key: nothing looks a sent message up, and every index is written when a message comes and when it leaves.
        Column("id", BigInteger, Identity(always=True), nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
        Column("message_id", Text, nullable=False, comment="evt_…, the AMQP message id and the public event id"),
        Column("event_type", Text, nullable=False, comment="routing key"),
        Column("merchant_id", Uuid(), nullable=False),
        Column("payload", Text, nullable=False, comment="JSON body, sent as it stands"),
        Column("request_id", Text, nullable=False, server_default=""),
        Column("traceparent", Text, nullable=False, server_default=""),
        Column("sent_at", DateTime(timezone=True)),
        Index("outbox_unsent", "id", postgresql_where=text("sent_at IS NULL")),
        # For `BrokerMemory`, which walks through a day: a few bytes per 128 pages.
        Index("outbox_age", "created_at", postgresql_using="brin", postgresql_with={"autosummarize": "on"}),
        postgresql_partition_by="RANGE (created_at)",
    )


def define_outbox_repeat(metadata: MetaData) -> Table:
    """At most one row: what an emptied broker still has to be sent again, from `since` up to `before_at`, `before_id`."""
    return Table(
        "outbox_repeat",
        metadata,
        Column("only_row", Boolean, CheckConstraint("only_row"), primary_key=True, server_default=text("true")),
        Column("since", DateTime(timezone=True), nullable=False),
        Column("before_at", DateTime(timezone=True), comment="created_at of the outbox; null: from the newest on"),
        Column("before_id", BigInteger),
    )


def define_inbox(metadata: MetaData) -> Table:
    return Table(
        "inbox",
        metadata,
        Column("message_id", Text, primary_key=True),
        Column("consumer", Text, primary_key=True),
        Column("message_time", DateTime(timezone=True), primary_key=True),
        postgresql_partition_by="RANGE (message_time)",
    )


def create_outbox() -> None:
    """For a migration: the outbox with its default partition."""
    from alembic import op  # only migrations need it, and it takes 11 MiB

    define_outbox(metadata := MetaData())
    metadata.create_all(op.get_bind())
    op.execute("CREATE TABLE outbox_default PARTITION OF outbox DEFAULT")


def create_inbox() -> None:
    """For a migration: the inbox with its default partition."""
    from alembic import op

    define_inbox(metadata := MetaData())
    metadata.create_all(op.get_bind())
    op.execute("CREATE TABLE inbox_default PARTITION OF inbox DEFAULT")
