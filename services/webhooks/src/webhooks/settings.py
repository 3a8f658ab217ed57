"""What the webhooks service reads from its environment."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import Field, SecretStr, model_validator

from gateway_common.settings import (
    BrokerSettings,
    DatabaseSettings,
    InternalTokenSettings,
    RateLimitSettings,
    RedisSettings,
    ServiceSettings,
)
from webhooks.domain.breaker import BreakerRules
from webhooks.domain.schedule import Schedules
from webhooks.domain.targets import TargetPolicy


class Settings(
    ServiceSettings, DatabaseSettings, RedisSettings, RateLimitSettings, BrokerSettings, InternalTokenSettings
):
    """Names are those of docs/processes.md; what is not there has a default that fits most installations."""

    payments_api_url: str = "http://127.0.0.1:8001"

    webhook_retry_intervals_test: bool = Field(default=False, description="0, 5, 10, 15, 20 s instead of minutes")
    webhook_allow_private_targets: bool = Field(default=False, description="Loopback and private addresses")
    webhook_allowed_ports: str = Field(default="", description="Comma-separated; empty: all but well-known others'")
    webhook_timeout_seconds: float = Field(default=5.0, gt=0, description="For one attempt, from name to last byte")
    webhook_retry_after_cap_seconds: int = Field(default=3600, ge=0)
    webhook_in_flight: int = Field(default=512, ge=1, description="Requests under way in one worker process")
    webhook_secret_keys: SecretStr | None = Field(
        default=None,
        description="`k1:<base64 of 32 bytes>[,k0:…]`: encrypts endpoint secrets at rest; the first encrypts, all"
        " decrypt. Without it a key derived from INTERNAL_TOKEN_SECRET is used, which then must not change.",
    )

    # The whole default schedule takes 2 h 36 min; 5 minutes of nothing but failures are an outage, 50 s of a test are not.
    breaker_failures: int = Field(default=20, ge=1)
    breaker_failing_seconds: int = Field(default=300, ge=0)
    breaker_first_probe_seconds: int = Field(default=60, ge=1)
    breaker_longest_probe_pause_seconds: int = Field(default=900, ge=1)
    recovery_window_hours: int = Field(default=72, ge=1, description="How far back missed deliveries are sent again")
    recovery_per_second: float = Field(default=10.0, gt=0, description="Of one endpoint, oldest first")

    retention_days: int = Field(default=30, ge=2, description="Of events, deliveries and attempts")

    @model_validator(mode="after")
    def _ports_are_numbers(self) -> Self:
        self.target_policy  # noqa: B018 - a wrong port list must be refused at start, not at the first webhook
        return self

    @property
    def schedules(self) -> Schedules:
        return Schedules(self.webhook_retry_intervals_test)

    @property
    def target_policy(self) -> TargetPolicy:
        ports = frozenset(int(port) for port in self.webhook_allowed_ports.split(",") if port.strip())
        return TargetPolicy(self.webhook_allow_private_targets, ports)

    @property
    def breaker_rules(self) -> BreakerRules:
        return BreakerRules(
            failures=self.breaker_failures,
            failing_for=timedelta(seconds=self.breaker_failing_seconds),
            first_probe_after=timedelta(seconds=self.breaker_first_probe_seconds),
            longest_probe_pause=timedelta(seconds=self.breaker_longest_probe_pause_seconds),
        )
