"""Settings come from the environment, are checked at start, and refuse sample secrets in production.

Each service subclasses `ServiceSettings` with the mixins it needs; names are those of `docs/processes.md`.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

# Marks every secret that is published in this repository (.env.example, compose defaults).
SAMPLE_MARK = "sample"


class SettingsPart(BaseSettings):
    """All parts have this base: of several bases, pydantic takes the last one's `model_config`."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)


class ServiceSettings(SettingsPart):
    """What every process reads."""

    gateway_env: Literal["development", "production"] = "development"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    drain_timeout_seconds: float = Field(
        default=20.0, gt=0, description="How long in-flight work may take after SIGTERM"
    )
    otel_exporter_otlp_endpoint: str | None = Field(default=None, description="Send OpenTelemetry traces there")

    @model_validator(mode="after")
    def _refuse_sample_secrets(self) -> Self:
        if self.gateway_env != "production":
            return self
        for name in type(self).model_fields:
            value = getattr(self, name)
            text = value.get_secret_value() if isinstance(value, SecretStr) else value
            if isinstance(text, str) and SAMPLE_MARK in text.lower():
                raise ValueError(f"{name.upper()} still holds the sample value; set one of your own for production")
        return self


class DatabaseSettings(SettingsPart):
    """PostgreSQL, with this service's own role."""

    database_url: SecretStr
    database_pool_size: int = Field(default=8, ge=1, le=200)


class RedisSettings(SettingsPart):
    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")


class RateLimitSettings(SettingsPart):
    """Of the public APIs; counted in Redis. Switched off for load tests."""

    rate_limits_enabled: bool = True
    rate_limit_per_key: str = Field(
        default="60000/minute", description="of one API key, over all services and their copies"
    )
    rate_limit_per_address: str = Field(
        default="6000/minute", description="of one network address on the public checkout endpoints"
    )


class BrokerSettings(SettingsPart):
    """RabbitMQ, with this service's own user."""

    broker_url: SecretStr


class InternalTokenSettings(SettingsPart):
    """Service-to-service tokens are signed with this (HMAC-SHA256)."""

    internal_token_secret: SecretStr = Field(min_length=32)


class TestModeSettings(SettingsPart):
    """API.md, The simulated bank."""

    test_mode: bool = False
    test_processing_delay: int = Field(default=1000, ge=0, description="milliseconds")
    test_payment_success: bool = True
