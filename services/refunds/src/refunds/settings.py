"""What this service reads from the environment (docs/processes.md)."""

from __future__ import annotations

from pydantic import Field

from gateway_common.settings import (
    BrokerSettings,
    DatabaseSettings,
    InternalTokenSettings,
    RateLimitSettings,
    RedisSettings,
    ServiceSettings,
)


class Settings(
    ServiceSettings, DatabaseSettings, RedisSettings, RateLimitSettings, BrokerSettings, InternalTokenSettings
):
    port: int = Field(default=8002, ge=0, le=65535)
    payments_api_url: str = "http://127.0.0.1:8001"
    pending_expected_seconds: float = Field(
        default=45.0, gt=0, description="A refund that waits longer for the bank's answer is asked for again"
    )
