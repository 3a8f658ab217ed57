"""Lists, newest first, at the same cost whatever the table holds: every query walks an index and stops after a page.

A filter on `status` or `method` alone would have no index that ends in time; it is written as the union of the few
values of the other one, each a walk along `payments_by_state`. Composing a statement takes longer than running it, so
each combination of filters is composed once.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, Table, bindparam, func, select, tuple_, union_all

from gateway_common.database import Database, Row
from gateway_common.database.pool import compile_statement
from gateway_common.errors import ValidationError
from payments_api import tables
from payments_api.domain.payment import Order, Payment
from payments_api.repositories.rows import ORDER_COLUMNS, PAYMENT_COLUMNS, as_order, as_payment

_STATUSES = ("pending", "success", "failed", "cancelled")
_METHODS = ("upi", "card")

Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Page:
    """At most `limit` objects after the one named `starting_after`, created between the two times; None is any."""

    limit: int
    starting_after: str | None = None
    created_gte: datetime | None = None
    created_lte: datetime | None = None


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """None is any. `search` is a whole id, order id, VPA or last four digits."""

    status: str | None = None
    method: str | None = None
    order_id: str | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class _Slot:
    """Stands for the value of a parameter while a statement is composed."""

    name: str


async def orders(database: Database, merchant_id: UUID, page: Page, *, status: str | None) -> list[Order]:
    """Raises `ValidationError` when `page.starting_after` names no order of the merchant."""
    given = await _given(database, tables.orders, merchant_id, page, {"status": status})
    return [as_order(row) for row in await _run(database, _orders_statement(frozenset(given)), given)]


async def payments(database: Database, merchant_id: UUID, page: Page, wanted: PaymentFilter) -> list[Payment]:
    """Raises `ValidationError` when `page.starting_after` names no payment of the merchant."""
    filters = {
        "status": wanted.status,
        "method": wanted.method,
        "order_id": wanted.order_id,
        "search": wanted.search,
        "search_lower": None if wanted.search is None else wanted.search.lower(),
    }
    given = await _given(database, tables.payments, merchant_id, page, filters)
    return [as_payment(row) for row in await _run(database, _payments_statement(frozenset(given)), given)]


async def _given(
    database: Database, table: Table, merchant_id: UUID, page: Page, filters: Mapping[str, str | None]
) -> dict[str, Any]:
    """The values of the parameters that are wanted; their names say which statement it is."""
    given: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
    given |= {"merchant_id": merchant_id, "limit": page.limit}
    for name in ("created_gte", "created_lte"):
        if (moment := getattr(page, name)) is not None:
            given[name] = moment
    if page.starting_after is not None:
        given |= await _cursor(database, table, merchant_id, page.starting_after)
    return given


async def _cursor(database: Database, table: Table, merchant_id: UUID, starting_after: str) -> dict[str, Any]:
    if starting_after.isascii() and starting_after.isprintable():
        row = await database.fetch_one(
            f"SELECT created_at, id FROM {table.name} WHERE merchant_id = $1 AND id = $2", merchant_id, starting_after
        )
        if row is not None:
            return {"after_created_at": row["created_at"], "after_id": row["id"]}
    raise ValidationError(
        "starting_after must be the id of an object in this list", field="starting_after", reason="unknown_cursor"
    )


async def _run(database: Database, statement: tuple[str, tuple[Any, ...]], given: Mapping[str, Any]) -> list[Row]:
    sql, values = statement
    return await database.fetch(sql, *(given[one.name] if isinstance(one, _Slot) else one for one in values))


@functools.cache
def _orders_statement(names: frozenset[str]) -> tuple[str, tuple[Any, ...]]:
    conditions = _window(tables.orders, names)
    if "status" in names:
        conditions.append(tables.orders.c.status == _parameter("status"))
    sql, values = compile_statement(_page(tables.orders, ORDER_COLUMNS, conditions))
    return sql, tuple(values)


@functools.cache
def _payments_statement(names: frozenset[str]) -> tuple[str, tuple[Any, ...]]:
    window = _window(tables.payments, names)
    branches = [_page(tables.payments, PAYMENT_COLUMNS, [*window, *branch]) for branch in _branches(names)]
    statement: Select[Any] = branches[0]
    if len(branches) > 1:
        found = union_all(*(select(branch.subquery()) for branch in branches)).subquery()
        statement = select(found).order_by(found.c.created_at.desc(), found.c.id.desc()).limit(_parameter("limit"))
    sql, values = compile_statement(statement)
    return sql, tuple(values)


def _branches(names: frozenset[str]) -> list[list[Condition]]:
    """Conditions whose union is what is wanted, each with an index that starts with them."""
    column = tables.payments.c
    exact = [column[name] == _parameter(name) for name in ("status", "method", "order_id") if name in names]
    if "search" in names:
        return [[*exact, condition] for condition in _search()]
    if "order_id" in names or len(exact) != 1:
        return [exact]
    if "status" in names:
        return [[*exact, column.method == method] for method in _METHODS]
    return [[*exact, column.status == status] for status in _STATUSES]


def _search() -> tuple[Condition, ...]:
    """One way of being found each, and no payment in two of them."""
    column = tables.payments.c
    text = _parameter("search")
    instrument = func.lower(func.coalesce(column.vpa, column.card_last4))
    return (
        column.id == text,
        (column.order_id == text) & (column.id != text),
        (instrument == _parameter("search_lower")) & (column.id != text) & (column.order_id != text),
    )


def _window(table: Table, names: frozenset[str]) -> list[Condition]:
    conditions: list[Condition] = [table.c.merchant_id == _parameter("merchant_id")]
    if "created_gte" in names:
        conditions.append(table.c.created_at >= _parameter("created_gte"))
    if "created_lte" in names:
        conditions.append(table.c.created_at <= _parameter("created_lte"))
    if "after_id" in names:
        after = tuple_(
            bindparam("after_created_at", _Slot("after_created_at"), type_=table.c.created_at.type),
            bindparam("after_id", _Slot("after_id"), type_=table.c.id.type),
        )
        conditions.append(tuple_(table.c.created_at, table.c.id) < after)
    return conditions


def _page(table: Table, columns: str, conditions: list[Condition]) -> Select[Any]:
    chosen = [table.c[name.strip()] for name in columns.split(",")]
    newest_first = select(*chosen).where(*conditions).order_by(table.c.created_at.desc(), table.c.id.desc())
    return newest_first.limit(_parameter("limit"))


def _parameter(name: str) -> BindParameter[Any]:
    """Compared with a column it takes that column's type."""
    return bindparam(name, _Slot(name))
