"""The one error tree. Each error knows its HTTP status and public code; `web/problems.py` renders it (API.md, Errors)."""

from __future__ import annotations


class GatewayError(Exception):
    """An error that the caller may see.

    Args:
        description: one sentence that says what is wrong and, where it helps, what to do.
        field: the input field it is about.
        reason: a finer machine-readable word than `code`.
        retry_after_seconds: sent as `Retry-After`.
        headers: more response headers.
    """

    status = 500
    code = "INTERNAL_ERROR"
    default_description = "Something went wrong on our side. Nothing was charged twice; try again."
    retryable = False

    def __init__(
        self,
        description: str | None = None,
        *,
        field: str | None = None,
        reason: str | None = None,
        retry_after_seconds: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.description = description or self.default_description
        self.field = field
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds
        self.headers = headers or {}
        super().__init__(self.description)


class InternalError(GatewayError):
    """500; shows no internals."""

    retryable = True


class AuthenticationError(GatewayError):
    status = 401
    code = "AUTHENTICATION_ERROR"
    default_description = "Invalid API credentials"


class ForbiddenError(GatewayError):
    """Signed in but not allowed; for internal endpoints only, a merchant's foreign object is 404."""

    status = 403
    code = "AUTHENTICATION_ERROR"
    default_description = "This token may not do that"


class BadRequestError(GatewayError):
    """Domain refusal: the request is well formed, but the object's state or amount does not allow it."""

    status = 400
    code = "BAD_REQUEST_ERROR"
    default_description = "Bad request"


class ValidationError(BadRequestError, ValueError):
    """The request itself is malformed. Never stored under an idempotency key, so the key can be used again.

    A `ValueError` too, so that a Pydantic validator may raise it and the answer still carries its code and reason.
    """


class InvalidVpaError(ValidationError):
    code = "INVALID_VPA"
    default_description = "VPA format invalid"


class InvalidCardError(ValidationError):
    code = "INVALID_CARD"
    default_description = "Card validation failed"


class ExpiredCardError(ValidationError):
    code = "EXPIRED_CARD"
    default_description = "Card expiry date invalid"


class NotFoundError(GatewayError):
    """`NotFoundError("Order not found")`"""

    status = 404
    code = "NOT_FOUND_ERROR"
    default_description = "Not found"


class MethodNotAllowedError(GatewayError):
    status = 405
    code = "BAD_REQUEST_ERROR"
    default_description = "Method not allowed"


class OrderAlreadyPaidError(GatewayError):
    status = 400
    code = "ORDER_ALREADY_PAID"
    default_description = "Order has already been paid"


class OrderPaymentInProgressError(GatewayError):
    status = 409
    code = "ORDER_PAYMENT_IN_PROGRESS"
    default_description = "A payment for this order is in progress; wait for its result"
    retryable = True


class IdempotencyKeyReusedError(GatewayError):
    status = 422
    code = "IDEMPOTENCY_KEY_REUSED"
    default_description = "This Idempotency-Key was used with a different request; send a new key"


class IdempotencyKeyInUseError(GatewayError):
    status = 409
    code = "IDEMPOTENCY_KEY_IN_USE"
    default_description = "The first request with this Idempotency-Key is still running; try again shortly"
    retryable = True

    def __init__(self) -> None:
        super().__init__(retry_after_seconds=1)


class PayloadTooLargeError(GatewayError):
    status = 413
    code = "BAD_REQUEST_ERROR"
    default_description = "The request body is larger than 64 KiB"


class RateLimitedError(GatewayError):
    status = 429
    code = "RATE_LIMITED"
    default_description = "Too many requests; slow down and try again after the time in Retry-After"
    retryable = True


class ServiceUnavailableError(GatewayError):
    """A dependency that the request cannot do without is down. Nothing is known to have happened: safe to retry with the same key."""

    status = 503
    code = "SERVICE_UNAVAILABLE"
    default_description = "The service is not available at the moment; try again in a moment"
    retryable = True

    def __init__(
        self, description: str | None = None, *, reason: str | None = None, retry_after_seconds: int = 1
    ) -> None:
        super().__init__(description, reason=reason, retry_after_seconds=retry_after_seconds)


class DatabaseUnavailableError(ServiceUnavailableError):
    """PostgreSQL cannot be reached or does not answer in time."""

    def __init__(self) -> None:
        super().__init__(reason="database_unavailable")


class CacheUnavailableError(ServiceUnavailableError):
    """Redis cannot be reached or does not answer in time."""

    def __init__(self) -> None:
        super().__init__(reason="cache_unavailable")


class BrokerUnavailableError(ServiceUnavailableError):
    """RabbitMQ cannot be reached, or did not confirm in time (which leaves the outcome unknown)."""

    def __init__(self) -> None:
        super().__init__(reason="broker_unavailable")
