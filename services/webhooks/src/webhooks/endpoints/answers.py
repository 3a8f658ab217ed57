"""Shapes of answers, for the OpenAPI document only: handlers give plain values (schemas.py)."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from webhooks.domain.states import DeliveryStatus

_TIME = "2026-01-15T10:31:00.000Z"
Responses = dict[int | str, dict[str, Any]]


def _leave_out_default(schema: JsonDict) -> None:
    """A field that is not always there has no default either."""
    schema.pop("default", None)


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ConfigAnswer(Answer):
    webhook_url: str | None
    webhook_secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw9r8GKYqrTwg="])


class RotatedConfigAnswer(ConfigAnswer):
    previous_secret_expires_at: str = Field(examples=["2026-01-16T10:31:00Z"])


class ScheduledTestAnswer(Answer):
    id: UUID
    event: Literal["webhook.test"]
    endpoint_id: str
    status: Literal["pending"]
    message: str


class EndpointAnswer(Answer):
    id: str = Field(examples=["we_4f9KzQ2LmW8sT1xA"])
    url: str | None
    description: str | None
    events: list[str] | None = Field(description="null for all")
    enabled: bool
    disabled_reason: str | None = Field(description="`merchant`, or `gone` after a 410")
    default: bool = Field(description="The one that `/webhooks/config` sets")
    schedule: Literal["default", "extended"]
    created_at: str = Field(examples=[_TIME])
    updated_at: str


class EndpointWithSecretAnswer(EndpointAnswer):
    secret: str


class EndpointPage(Answer):
    data: list[EndpointAnswer]
    has_more: bool
    next_cursor: str | None


class DeletedAnswer(Answer):
    id: str
    deleted: Literal[True]


class SecretAnswer(Answer):
    id: str
    secret: str


class DeliveryAnswer(Answer):
    id: UUID
    event: str = Field(examples=["payment.success"])
    status: DeliveryStatus
    attempts: int = Field(description="Made in the current round; a manual retry starts again from 0")
    created_at: str = Field(examples=[_TIME])
    last_attempt_at: str | None
    next_retry_at: str | None
    response_code: int | None
    endpoint_id: str
    event_id: str = Field(examples=["evt_4f9KzQ2LmW8sT1xA"])
    reason: str = Field(
        default="", json_schema_extra=_leave_out_default, description="Why it was not sent, failed, or is held"
    )


class DeliveryList(Answer):
    data: list[DeliveryAnswer]
    total: int
    limit: int
    offset: int


class TimingsAnswer(Answer):
    """Null for a step that was not needed, because a connection was open already."""

    dns: float | None
    connect: float | None
    tls: float | None
    first_byte: float | None


class AttemptAnswer(Answer):
    number: int
    round: int
    kind: Literal["scheduled", "probe", "recovery"]
    started_at: str
    duration_ms: int
    response_code: int | None
    error: str | None
    url: str
    address: str | None = Field(description="Where the name led to")
    timings_ms: TimingsAnswer
    request_headers: dict[str, str]
    response_headers: dict[str, str] | None
    response_body: str | None = Field(description="The first 1000 characters")


class DeliveryDetailAnswer(DeliveryAnswer):
    url: str | None
    payload: dict[str, Any]
    response_body: str | None
    attempt_log: list[AttemptAnswer]
    curl: str | None = Field(description="Repeats the last attempt")


class RetryAnswer(Answer):
    id: UUID
    status: Literal["pending"]
    message: Literal["Webhook retry scheduled"]


class EventAnswer(Answer):
    id: str = Field(examples=["evt_4f9KzQ2LmW8sT1xA"])
    event: str = Field(examples=["payment.success"])
    created_at: str = Field(examples=[_TIME])
    timestamp: int = Field(description="Unix seconds")
    sequence: int = Field(description="Counts up per payment")
    payment_id: str | None
    data: dict[str, Any]


class EventDetailAnswer(EventAnswer):
    deliveries: list[DeliveryAnswer]


class EventPage(Answer):
    data: list[EventAnswer]
    has_more: bool
    next_cursor: str | None


class ReplayAnswer(Answer):
    id: UUID
    status: Literal["running", "paused", "cancelled", "completed"]
    since: str
    until: str
    event: str | None
    delivery_status: str | None
    endpoint_id: str | None
    rate: int = Field(description="Deliveries a second")
    total: int
    queued: int = Field(description="How many of `total` have been started again")
    created_at: str
    updated_at: str


class ReplayPage(Answer):
    data: list[ReplayAnswer]
    has_more: bool
    next_cursor: str | None


class DryRunAnswer(Answer):
    dry_run: Literal[True]
    total: int
    since: str
    until: str


_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes a repeat harmless for 24 hours: it answers as the first request did, with `Idempotent-Replayed: true`",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x20-\\x7e]+$"},
}


def answers(model: type[Answer], status: int = 200) -> Responses:
    """`responses=` of a route."""
    return {status: {"model": model}}


def answers_once(model: type[Answer], status: int = 200) -> Responses:
    """`responses=` of a route that takes an `Idempotency-Key`."""
    return {
        **answers(model, status),
        409: {"description": "The first request with this Idempotency-Key is still running", "content": _PROBLEM},
        422: {"description": "The Idempotency-Key was used with another request", "content": _PROBLEM},
    }


TAKES_A_KEY: dict[str, Any] = {"parameters": [_KEY_PARAMETER]}
