"""Rows to orders and payments."""

from __future__ import annotations

from gateway_common.database import Row
from payments_api.domain.payment import Order, Payment

ORDER_COLUMNS = (
    "merchant_id, id, amount, currency, receipt, notes, multiple_payments, is_ad_hoc, status, amount_paid,"
    " created_at, updated_at"
)
PAYMENT_COLUMNS = (
    "merchant_id, id, order_id, amount, currency, method, vpa, card_network, card_last4, capture_mode, notes,"
    " created_at, updated_at, status, captured, amount_captured, amount_refunded, error_code, error_description,"
    " error_reason, sequence, refund_limit"
)


def as_order(row: Row) -> Order:
    """`row` has exactly `ORDER_COLUMNS`."""
    return Order(*row.values())


def as_payment(row: Row) -> Payment:
    """`row` has exactly `PAYMENT_COLUMNS`."""
    return Payment(*row.values())
