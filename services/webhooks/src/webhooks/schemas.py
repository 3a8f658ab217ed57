"""What callers send (strict: `"1"` and `1.0` are no integers), and how objects are shown (API.md, Webhooks)."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from gateway_common.clock import from_iso, to_iso
from gateway_common.database import Row
from gateway_common.errors import ValidationError
from webhooks.domain.event_bodies import EVENT_TYPES
from webhooks.repositories.endpoints import Endpoint


def _known_event(value: str) -> str:
    if value not in EVENT_TYPES:
        raise ValidationError(
            f"{value[:50]} is no event type; use one of {', '.join(EVENT_TYPES)}", reason="unknown_event"
        )
    return value


def _read_moment(value: object) -> datetime:
    """ISO 8601 or Unix seconds; one without an offset is UTC."""
    text = str(value) if type(value) is int or isinstance(value, str) else ""
    try:
        return datetime.fromtimestamp(int(text), UTC) if text.isdigit() else from_iso(text)
    except (ValueError, OverflowError, OSError) as error:  # the first and last day may have no UTC
        raise ValidationError("a time must be ISO 8601 or Unix seconds", reason="invalid_time") from error


EventType = Annotated[str, AfterValidator(_known_event)]
EventFilter = Annotated[list[EventType], Field(min_length=1, max_length=len(EVENT_TYPES))]
Moment = Annotated[datetime, BeforeValidator(_read_moment, json_schema_input_type=str)]
Description = Annotated[str, Field(max_length=255)]
Schedule = Literal["default", "extended"]


class Input(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class ConfigInput(Input):
    """`webhookUrl` is another spelling of `webhook_url`; null removes the URL."""

    webhook_url: str | None = Field(
        validation_alias=AliasChoices("webhook_url", "webhookUrl"), examples=["http://localhost:8090/hooks/shop"]
    )


class TestInput(Input):
    """Without `endpoint_id` the default endpoint is meant."""

    endpoint_id: str | None = None


class EndpointInput(Input):
    """`events` null or absent: all of them."""

    url: str = Field(examples=["http://localhost:8090/hooks/shop"])
    description: Description | None = None
    events: EventFilter | None = None
    enabled: bool = True
    schedule: Schedule = "default"


class EndpointChanges(Input):
    """Only what is sent is changed."""

    url: str | None = None
    description: Description | None = None
    events: EventFilter | None = None
    enabled: bool | None = None
    schedule: Schedule | None = None

    def as_fields(self) -> dict[str, Any]:
        """The endpoint's own field names. `events` and `description` may be set to null, the others may not."""
        names = {"events": "event_types", "enabled": "is_enabled"}
        fields: dict[str, Any] = {}
        for name in self.model_fields_set:
            value = getattr(self, name)
            if value is None and name not in ("events", "description"):
                raise ValidationError(f"{name} must not be null", field=name, reason="null")
            fields[names.get(name, name)] = tuple(value) if isinstance(value, list) else value
        return fields


class ReplayInput(Input):
    """Deliveries created in `[since, until)`, by default until now, in any settled state."""

    since: Moment = Field(examples=["2026-01-15T00:00:00Z"])
    until: Moment | None = None
    event: EventType | None = None
    status: Literal["success", "failed", "skipped", "cancelled"] | None = None
    endpoint_id: str | None = None
    dry_run: bool = False
    rate: int = Field(default=50, ge=1, le=500, description="Deliveries a second")


def iso(moment: datetime | None) -> str | None:
    return None if moment is None else to_iso(moment)


def show_endpoint(endpoint: Endpoint, secret: str | None = None) -> dict[str, Any]:
    """`secret` is shown where one endpoint is asked for, not in lists."""
    shown: dict[str, Any] = {
        "id": endpoint.id,
        "url": endpoint.url,
        "description": endpoint.description,
        "events": None if endpoint.event_types is None else list(endpoint.event_types),
        "enabled": endpoint.is_enabled,
        "disabled_reason": endpoint.disabled_reason,
        "default": endpoint.is_default,
        "schedule": endpoint.schedule,
        "created_at": iso(endpoint.created_at),
        "updated_at": iso(endpoint.updated_at),
    }
    if secret is not None:
        shown["secret"] = secret
    return shown


def show_delivery(row: Row) -> dict[str, Any]:
    """One line of the log. Only what was not sent, or is held back, has a `reason`."""
    shown = {
        "id": str(row["id"]),
        "event": row["event_type"],
        "status": row["status"],
        "attempts": row["attempts"],
        "created_at": iso(row["created_at"]),
        "last_attempt_at": iso(row["last_attempt_at"]),
        "next_retry_at": iso(row["next_retry_at"]),
        "response_code": row["response_code"],
        "endpoint_id": row["endpoint_id"],
        "event_id": row["event_id"],
    }
    if row["reason"] is not None:
        shown["reason"] = row["reason"]
    return shown


def show_delivery_detail(row: Row, attempts: Sequence[Row]) -> dict[str, Any]:
    """The payload as it is signed, and every attempt with where its time went."""
    last = attempts[-1] if attempts else None
    return {
        **show_delivery(row),
        "url": row["url"],
        "payload": orjson.Fragment(row["body"]),
        "response_body": None if last is None else last["response_body"],
        "attempt_log": [_show_attempt(attempt) for attempt in attempts],
        "curl": None if last is None else _curl(last, row["body"]),
    }


def _show_attempt(row: Row) -> dict[str, Any]:
    headers = row["response_headers"]
    return {
        "number": row["attempt"],
        "round": row["round"],
        "kind": row["kind"],
        "started_at": iso(row["started_at"]),
        "duration_ms": round(row["duration_ms"]),
        "response_code": row["response_code"],
        "error": row["error"],
        "url": row["url"],
        "address": row["address"],
        "timings_ms": {
            name: None if row[f"{name}_ms"] is None else round(row[f"{name}_ms"], 2)
            for name in ("dns", "connect", "tls", "first_byte")
        },
        "request_headers": orjson.Fragment(row["request_headers"]),
        "response_headers": None if headers is None else orjson.Fragment(headers),
        "response_body": row["response_body"],
    }


def _curl(attempt: Row, body: str) -> str:
    """A line for a shell that repeats the attempt, signatures included."""
    headers: dict[str, str] = orjson.loads(attempt["request_headers"])
    parts = ["curl", "-X", "POST", shlex.quote(attempt["url"])]
    for name, value in headers.items():
        parts += ["-H", shlex.quote(f"{name}: {value}")]
    return " ".join([*parts, "--data-raw", shlex.quote(body)])


def show_event(row: Row) -> dict[str, Any]:
    """The webhook's body with what is known about it."""
    body = orjson.loads(row["body"])
    return {
        "id": row["id"],
        "event": row["type"],
        "created_at": iso(row["created_at"]),
        "timestamp": body["timestamp"],
        "sequence": row["sequence"],
        "payment_id": row["payment_id"],
        "data": body["data"],
    }


def show_replay(row: Row) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "status": row["status"],
        "since": iso(row["since"]),
        "until": iso(row["until"]),
        "event": row["event_type"],
        "delivery_status": row["delivery_status"],
        "endpoint_id": row["endpoint_id"],
        "rate": row["per_second"],
        "total": row["total"],
        "queued": row["queued"],
        "created_at": iso(row["created_at"]),
        "updated_at": iso(row["updated_at"]),
    }
