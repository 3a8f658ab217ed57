"""What the rules of money refuse."""

from __future__ import annotations

from gateway_common.errors import BadRequestError


class NotRefundableError(BadRequestError):
    default_description = "Payment not in refundable state"

    def __init__(self) -> None:
        super().__init__(reason="payment_not_refundable")


class InsufficientRefundAmountError(BadRequestError):
    default_description = "Refund amount exceeds available amount"

    def __init__(self) -> None:
        super().__init__(field="amount", reason="insufficient_refund_amount")


class NotCapturableError(BadRequestError):
    default_description = "Payment not in capturable state"

    def __init__(self) -> None:
        super().__init__(reason="payment_not_capturable")


class CaptureAmountExceedsAvailableError(BadRequestError):
    default_description = "Capture amount exceeds the amount that is left"

    def __init__(self) -> None:
        super().__init__(field="amount", reason="capture_amount_exceeds_available")


class NotCancellableError(BadRequestError):
    default_description = "Payment not in cancellable state"

    def __init__(self) -> None:
        super().__init__(reason="payment_not_cancellable")
