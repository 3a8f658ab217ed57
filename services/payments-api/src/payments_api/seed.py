"""The test merchant and its order (API.md, Health and test). Repeatable; never in production, where everyone would know the secret."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway_common.auth.secrets import checkout_signing_key, hash_secret
from gateway_common.database import Database

MERCHANT_ID = UUID("550e8400-e29b-41d4-a716-446655440000")
KEY_ID = UUID("550e8400-e29b-41d4-a716-446655440001")
API_KEY = "key_test_abc123"
API_SECRET = "secret_test_xyz789"  # noqa: S105 - published on purpose
ORDER_ID = "order_test_123"

_MERCHANT = """
INSERT INTO merchants (id, name, email, created_at) VALUES ($1, 'Test Merchant', 'test@example.com', $2)
ON CONFLICT DO NOTHING
"""
_KEY = """
INSERT INTO api_keys (id, merchant_id, key, secret_hash, signing_key, created_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
"""
_ORDER = """
INSERT INTO orders (merchant_id, id, amount, currency, multiple_payments, is_ad_hoc, created_at, updated_at)
VALUES ($1, $2, 50000, 'INR', true, false, $3, $3)
ON CONFLICT DO NOTHING
"""


async def seed(database: Database, now: datetime) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(_MERCHANT, MERCHANT_ID, now)
        await transaction.execute(
            _KEY, KEY_ID, MERCHANT_ID, API_KEY, hash_secret(API_SECRET), checkout_signing_key(API_SECRET), now
        )
        await transaction.execute(_ORDER, MERCHANT_ID, ORDER_ID, now)
