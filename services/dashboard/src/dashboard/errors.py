"""Errors of the pages; rendered as HTML in one place (`pages/failures.py`)."""

from __future__ import annotations

from gateway_common.errors import BadRequestError, ForbiddenError, GatewayError, RateLimitedError


class NotSignedInError(GatewayError):
    """No session, or one that has ended: pages lead to the sign-in, everything else answers 401."""

    status = 401
    code = "AUTHENTICATION_ERROR"
    default_description = "Sign in to see this page"


class ForgedFormError(ForbiddenError):
    """A form without this session's token, or sent from another site."""

    code = "BAD_REQUEST_ERROR"
    default_description = "This form is out of date. Go back, reload the page and send it again."


class FormError(BadRequestError):
    """Something on a form needs mending; shown at the form."""


class SignInLimitedError(RateLimitedError):
    """Too many wrong passwords."""

    def __init__(self, wait_seconds: int) -> None:
        when = f"{wait_seconds} seconds" if wait_seconds < 90 else f"{round(wait_seconds / 60)} minutes"
        super().__init__(
            f"There were too many attempts. To keep the account safe, please try again in {when}.",
            reason="sign_in_limited",
            retry_after_seconds=wait_seconds,
        )


class ApiRefusalError(GatewayError):
    """A service refused a request made for the merchant; its own words are fit to be shown."""

    def __init__(self, status: int, code: str, description: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(description, retry_after_seconds=retry_after_seconds)
        self.status = status
        self.code = code
