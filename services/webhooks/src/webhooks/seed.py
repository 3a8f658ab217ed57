"""The test merchant's webhook secret (API.md, Health and test): known to everyone, no URL."""

from __future__ import annotations

from uuid import UUID

from gateway_common.clock import SystemClock
from gateway_common.database import Database
from webhooks.repositories.endpoints import EndpointRepository
from webhooks.sealing import SecretSealer

TEST_MERCHANT = UUID("550e8400-e29b-41d4-a716-446655440000")
TEST_SECRET = "whsec_test_abc123"  # noqa: S105 - published on purpose, and only that of the test merchant


async def seed(database_url: str, sealer: SecretSealer) -> None:
    """Idempotent: a default endpoint that exists is left alone."""
    database = await Database.connect(database_url, max_size=1)
    try:
        async with database.connection() as connection:
            await EndpointRepository(database, sealer).add(
                connection, TEST_MERCHANT, SystemClock().now(), is_default=True, secret=TEST_SECRET
            )
    finally:
        await database.close()
