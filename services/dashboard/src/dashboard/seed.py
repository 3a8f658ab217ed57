"""The test merchant's user, in test mode only (WEB.md, Dashboard; API.md, Health and test). Idempotent."""

from __future__ import annotations

from uuid import UUID

from dashboard.accounts.passwords import Passwords
from dashboard.accounts.users import Users
from gateway_common.database import Database

# Public sample data: everybody who reads the documentation knows them.
TEST_MERCHANT_ID = UUID("550e8400-e29b-41d4-a716-446655440000")
TEST_EMAIL = "test@example.com"
TEST_PASSWORD = "test_password_123"  # noqa: S105
TEST_API_KEY = "key_test_abc123"
TEST_API_SECRET = "secret_test_xyz789"  # noqa: S105


async def seed(database: Database) -> None:
    users = Users(database)
    if await users.find(TEST_EMAIL) is None:
        await users.add(TEST_MERCHANT_ID, TEST_EMAIL, await Passwords().hash(TEST_PASSWORD))
