"""What this service reads from the environment (docs/processes.md)."""

from __future__ import annotations

from pydantic import Field

from gateway_common.settings import ServiceSettings


class CheckoutSettings(ServiceSettings):
    port: int = Field(default=3001, ge=1, le=65535)
    public_api_url: str = Field(
        default="http://localhost:8000/api/v1", description="Where a shopper's browser finds the public API"
    )
    payments_api_url: str = Field(
        default="http://127.0.0.1:8001", description="Where this service asks for an order while it makes the page"
    )
    upi_payee_vpa: str | None = Field(
        default=None,
        description="UPI ID of the account that collects for the gateway; without it a live order offers no QR code",
    )
