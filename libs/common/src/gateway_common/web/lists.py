"""Cursor lists (API.md, Conventions): `{"data":[…],"has_more":bool,"next_cursor":id|null}`, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query

DEFAULT_LIMIT = 10
MAX_LIMIT = 100

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many objects to return")]
StartingAfter = Annotated[str | None, Query(max_length=64, description="Id of the last object of the page before")]


def as_page(items: Sequence[dict[str, Any]], limit: int) -> dict[str, Any]:
    """`items` holds up to `limit + 1` objects, fetched with one more than asked for to learn whether there are more."""
    has_more = len(items) > limit
    data = list(items[:limit])
    return {"data": data, "has_more": has_more, "next_cursor": data[-1]["id"] if has_more else None}
