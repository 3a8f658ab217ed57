"""PostgreSQL: SQLAlchemy Core describes tables and composes queries, asyncpg runs them (docs/decisions/0002)."""

from gateway_common.database.lending import Connection
from gateway_common.database.pool import Database, Row

__all__ = ["Connection", "Database", "Row"]
