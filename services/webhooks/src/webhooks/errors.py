"""What this service refuses, in the words of API.md."""

from __future__ import annotations

from gateway_common.errors import BadRequestError, NotFoundError, ValidationError


class DeliveryNotFoundError(NotFoundError):
    default_description = "Webhook log not found"


class EndpointNotFoundError(NotFoundError):
    default_description = "Webhook endpoint not found"


class EventNotFoundError(NotFoundError):
    default_description = "Event not found"


class ReplayNotFoundError(NotFoundError):
    default_description = "Replay not found"


class UrlRefusedError(ValidationError):
    """The SSRF guard says no."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}", field=field, reason="webhook_url_refused")


class NothingToCallError(BadRequestError):
    default_description = "Set a webhook URL first, and enable the endpoint"

    def __init__(self) -> None:
        super().__init__(reason="webhook_url_missing")


class TooManyEndpointsError(BadRequestError):
    default_description = "A merchant may have at most 30 webhook endpoints; delete one first"

    def __init__(self) -> None:
        super().__init__(reason="too_many_endpoints")


class ReplayStateError(BadRequestError):
    default_description = "The replay is not in a state that allows this"
