"""What this service reads from the environment (docs/processes.md)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from gateway_common.cards import CardDataSettings
from gateway_common.settings import (
    BrokerSettings,
    DatabaseSettings,
    InternalTokenSettings,
    RedisSettings,
    ServiceSettings,
    TestModeSettings,
)


class Settings(
    ServiceSettings,
    DatabaseSettings,
    RedisSettings,
    BrokerSettings,
    InternalTokenSettings,
    CardDataSettings,
    TestModeSettings,
):
    port: int = Field(default=8004, ge=0, le=65535)

    acquirer: Literal["simulator"] = "simulator"
    charges_in_flight: int = Field(
        default=10_000, ge=1, le=65_000, description="Charges of one process that may be with the acquirer at once"
    )
    refunds_in_flight: int = Field(default=2_000, ge=1, le=65_000)
    inquiry_first_pause_seconds: float = Field(
        default=5.0, gt=0, description="From giving up on an answer to the first inquiry; then it doubles"
    )
    inquiry_longest_pause_seconds: float = Field(default=300.0, gt=0)
    inquiry_abandon_after_seconds: float = Field(
        default=600.0, gt=0, description="Age at which a charge that the acquirer has no record of is abandoned there"
    )

    bank_database_url: SecretStr = Field(description="The simulated bank's own books, with a role of their own")
    bank_seed: int = Field(default=20_240_115, description="The same seed gives the same outcomes")
    bank_upi_success_rate: float = Field(default=0.90, ge=0, le=1)
    bank_card_success_rate: float = Field(default=0.95, ge=0, le=1)
    bank_charge_delay_seconds: tuple[float, float] = (5.0, 10.0)
    bank_refund_delay_seconds: tuple[float, float] = (3.0, 5.0)
    bank_answer_timeout_seconds: float = Field(
        default=15.0, gt=0, description="After this long without an answer the outcome is unknown"
    )
