"""What the dashboard reads from the environment (docs/processes.md)."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from gateway_common.settings import (
    BrokerSettings,
    DatabaseSettings,
    InternalTokenSettings,
    ServiceSettings,
    TestModeSettings,
)


class Settings(ServiceSettings, DatabaseSettings, BrokerSettings, InternalTokenSettings, TestModeSettings):
    """Addresses without a trailing slash; the services are called directly, not through the edge."""

    port: int = Field(default=3000, ge=0, le=65535)
    payments_api_url: str = "http://127.0.0.1:8001"
    refunds_url: str = "http://127.0.0.1:8002"
    webhooks_url: str = "http://127.0.0.1:8003"
    public_api_url: str = Field(default="http://localhost:8000/api/v1", description="Shown in the snippets")
    checkout_public_url: str = "http://localhost:3001"
    dashboard_public_url: str = "http://localhost:3000"
    inspector_base_url: str | None = Field(
        default=None,
        description="Where the webhooks service reaches this process, if not at DASHBOARD_PUBLIC_URL (containers)",
    )
    session_idle_minutes: int = Field(default=120, ge=1)
    session_hours: int = Field(default=12, ge=1)

    @property
    def inspector_origin(self) -> str:
        return (self.inspector_base_url or self.dashboard_public_url).rstrip("/")

    @property
    def is_secure(self) -> bool:
        """Whether browsers come over https, so that cookies may be kept to it."""
        return self.dashboard_public_url.startswith("https://")

    @property
    def session_idle(self) -> timedelta:
        return timedelta(minutes=self.session_idle_minutes)

    @property
    def session_lifetime(self) -> timedelta:
        return timedelta(hours=self.session_hours)
