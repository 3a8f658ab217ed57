"""Settings of payments-api (docs/processes.md)."""

from __future__ import annotations

from pydantic import Field

from gateway_common.cards import CardDataSettings
from gateway_common.settings import (
    BrokerSettings,
    DatabaseSettings,
    InternalTokenSettings,
    RateLimitSettings,
    RedisSettings,
    ServiceSettings,
    TestModeSettings,
)


class Settings(
    ServiceSettings,
    DatabaseSettings,
    RedisSettings,
    RateLimitSettings,
    BrokerSettings,
    InternalTokenSettings,
    TestModeSettings,
    CardDataSettings,
):
    port: int = Field(default=8001, ge=1, le=65535)
    processor_url: str = "http://127.0.0.1:8004"
    refunds_url: str = "http://127.0.0.1:8002"
    webhooks_url: str = "http://127.0.0.1:8003"

    pending_expected_seconds: float = Field(
        default=60, gt=0, description="A payment that waits longer for its verdict is sent to the processor again"
    )
    pending_max_age_seconds: float = Field(
        default=3600,
        gt=0,
        description="No verdict after this: counted in metrics and logged as an error, for a person to look",
    )
