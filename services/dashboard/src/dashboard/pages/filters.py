"""Filters and pages of lists, from the address to the API's parameters and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from gateway_common.clock import to_iso

PAGE_SIZE = 25
# How many pages back "Newer" can lead; after that "First page" does.
_LONGEST_TRAIL = 40


@dataclass(frozen=True, slots=True)
class ListView:
    """What the address asks for. `values` are the filters that are set; `trail` the pages that were passed."""

    path: str
    values: dict[str, str]
    after: str | None
    trail: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, request: Request, names: tuple[str, ...]) -> ListView:
        query = request.query_params
        values = {name: query[name].strip()[:100] for name in names if query.get(name, "").strip()}
        trail = [one for one in query.get("trail", "").split(",") if one][-_LONGEST_TRAIL:]
        return cls(request.url.path, values, query.get("after") or None, trail)

    @property
    def is_filtered(self) -> bool:
        return bool(self.values)

    def parameters(self) -> dict[str, Any]:
        """For the API; `from` and `to` are days in UTC."""
        found: dict[str, Any] = {"limit": PAGE_SIZE, "starting_after": self.after}
        for name, value in self.values.items():
            if name == "from":
                found["created_gte"] = _start_of(value)
            elif name == "to":
                found["created_lte"] = _start_of(value, plus_days=1)
            else:
                found[name] = value
        return found

    def older_url(self, page: dict[str, Any] | None) -> str | None:
        if not page or not page.get("has_more"):
            return None
        trail = [*self.trail, self.after or "-"][-_LONGEST_TRAIL:]
        return self._url(after=page["next_cursor"], trail=",".join(trail))

    def newer_url(self) -> str | None:
        if self.after is None:
            return None
        if not self.trail or self.trail[-1] == "-":
            return self._url()
        return self._url(after=self.trail[-1], trail=",".join(self.trail[:-1]))

    def url(self, **extra: str) -> str:
        return self._url(**extra)

    def _url(self, **extra: str) -> str:
        query = urlencode({**self.values, **{name: value for name, value in extra.items() if value}})
        return f"{self.path}?{query}" if query else self.path


def _start_of(day: str, *, plus_days: int = 0) -> str | None:
    try:
        start = datetime.combine(date.fromisoformat(day), time(), tzinfo=UTC)
    except ValueError:
        return None
    # One millisecond before the next day begins: the API's upper end is inclusive.
    end = start + timedelta(days=plus_days) - timedelta(milliseconds=1 if plus_days else 0)
    return to_iso(end)
