"""Lists as CSV, written while they are read: a million rows take no memory."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from dashboard.domain.amounts import decimal_amount
from gateway_common.errors import GatewayError

COLUMNS = (
    "payment_id", "order_id", "amount", "currency", "method", "paid_with", "status", "captured",
    "amount_captured", "amount_refunded", "error_reason", "error_description", "created_at", "updated_at",
)  # fmt: skip
_TRIES = 4
# Spreadsheets run a cell that begins so as a formula (OWASP, CSV injection).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


async def csv_lines(
    first: dict[str, Any], next_page: Callable[[str], Awaitable[dict[str, Any]]]
) -> AsyncIterator[bytes]:
    """The header, then every payment, newest first.

    Raises:
        GatewayError: the list could not be read on after several tries; the download breaks off, so that nobody
            takes half of it for all.
    """
    yield _encode([COLUMNS])
    page = first
    while True:
        yield _encode([_row(payment) for payment in page["data"]])
        if not page["has_more"]:
            return
        page = await _patiently(next_page, page["next_cursor"])


def paid_with(payment: dict[str, Any]) -> str:
    """`user@bank`, or `visa •••• 4242`."""
    if payment.get("vpa"):
        return str(payment["vpa"])
    if payment.get("card_last4"):
        return f"{payment.get('card_network') or 'card'} •••• {payment['card_last4']}"
    return ""


async def _patiently(next_page: Callable[[str], Awaitable[dict[str, Any]]], cursor: str) -> dict[str, Any]:
    for tried in range(1, _TRIES + 1):
        try:
            return await next_page(cursor)
        except GatewayError as error:
            if tried == _TRIES:
                raise
            await asyncio.sleep(error.retry_after_seconds or tried)
    raise AssertionError("unreachable: the last try raises")


def _row(payment: dict[str, Any]) -> list[str]:
    currency = payment["currency"]
    cells = (
        payment["id"],
        payment["order_id"],
        decimal_amount(payment["amount"], currency),
        currency,
        payment["method"],
        paid_with(payment),
        payment["status"],
        "yes" if payment["captured"] else "no",
        decimal_amount(payment["amount_captured"], currency),
        decimal_amount(payment["amount_refunded"], currency),
        payment.get("error_reason"),
        payment.get("error_description"),
        payment["created_at"],
        payment["updated_at"],
    )
    return [_harmless("" if cell is None else str(cell)) for cell in cells]


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def _encode(rows: list[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)  # RFC 4180
    return text.getvalue().encode()
