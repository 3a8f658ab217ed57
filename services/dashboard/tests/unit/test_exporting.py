from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from dashboard.pages import exporting
from gateway_common.errors import ServiceUnavailableError


def _payment(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"pay_{number}", "order_id": "order_1", "amount": 50_050, "currency": "INR", "method": "upi",
        "vpa": "user@bank", "status": "success", "captured": False, "amount_captured": 0, "amount_refunded": 0,
        "error_code": None, "error_description": None, "created_at": "2026-01-01T00:00:00.000Z",
        "updated_at": "2026-01-01T00:00:00.000Z",
    } | fields  # fmt: skip


async def _read(first: dict[str, Any], pages: list[Any]) -> list[dict[str, str]]:
    async def next_page(cursor: str) -> dict[str, Any]:
        page = pages.pop(0)
        if isinstance(page, Exception):
            raise page
        assert isinstance(page, dict)
        return page

    text = b"".join([part async for part in exporting.csv_lines(first, next_page)]).decode()
    return list(csv.DictReader(io.StringIO(text)))


async def test_all_pages_are_written_in_order() -> None:
    first = {"data": [_payment(1)], "has_more": True, "next_cursor": "pay_1"}
    rows = await _read(first, [{"data": [_payment(2)], "has_more": False, "next_cursor": None}])
    assert [row["payment_id"] for row in rows] == ["pay_1", "pay_2"]
    assert rows[0]["amount"] == "500.50"
    assert rows[0]["paid_with"] == "user@bank"


async def test_cells_that_a_spreadsheet_would_run_are_defused() -> None:
    first = {"data": [_payment(1, order_id="=HYPERLINK(1)", vpa="@SUM(A1)")], "has_more": False, "next_cursor": None}
    (row,) = await _read(first, [])
    assert row["order_id"] == "'=HYPERLINK(1)"
    assert row["paid_with"] == "'@SUM(A1)"


async def test_a_service_that_stumbles_costs_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_pause(_seconds: float) -> None: ...

    monkeypatch.setattr("asyncio.sleep", no_pause)
    first = {"data": [_payment(1)], "has_more": True, "next_cursor": "pay_1"}
    last = {"data": [_payment(2)], "has_more": False, "next_cursor": None}
    rows = await _read(first, [ServiceUnavailableError(), last])
    assert len(rows) == 2
    with pytest.raises(ServiceUnavailableError):
        await _read(first, [ServiceUnavailableError() for _ in range(4)])
