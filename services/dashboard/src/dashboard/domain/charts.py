"""From the figures of a period to the marks of a chart. The page draws them as SVG and repeats them as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from gateway_common.clock import from_iso

WIDTH = 1000
HEIGHT = 200
_GAP_SHARE = 0.28
_NICE = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Period:
    """What can be chosen above the charts: `buckets` times `interval`, up to now."""

    name: str
    label: str
    interval: Literal["hour", "day"]
    buckets: int

    @property
    def step(self) -> timedelta:
        return timedelta(hours=1) if self.interval == "hour" else timedelta(days=1)

    def starts(self, now: datetime) -> list[datetime]:
        """The beginning of each bucket, oldest first; the last one holds `now`."""
        last = now.replace(minute=0, second=0, microsecond=0)
        if self.interval == "day":
            last = last.replace(hour=0)
        return [last - self.step * back for back in range(self.buckets - 1, -1, -1)]


PERIODS = {
    one.name: one
    for one in (
        Period("24h", "24 hours", "hour", 24),
        Period("7d", "7 days", "day", 7),
        Period("30d", "30 days", "day", 30),
        Period("90d", "90 days", "day", 90),
    )
}


@dataclass(frozen=True, slots=True)
class Bucket:
    """Counts of one hour or day; `rate` is successes among the finished, None when nothing finished."""

    at: datetime
    count: int
    success_count: int
    failed_count: int
    amount: int

    @property
    def other_count(self) -> int:
        return max(self.count - self.success_count - self.failed_count, 0)

    @property
    def rate(self) -> float | None:
        finished = self.success_count + self.failed_count
        return self.success_count / finished if finished else None


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle of a stacked column."""

    kind: Literal["success", "failed", "other"]
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Geometry in a box of 1000 × 200, and the figures it stands for."""

    buckets: list[Bucket]
    columns: list[list[Bar]]
    ticks: list[int]
    rate_lines: list[str]
    rate_dots: list[tuple[float, float]]

    @property
    def total(self) -> int:
        return sum(bucket.count for bucket in self.buckets)

    @property
    def busiest(self) -> Bucket:
        return max(self.buckets, key=lambda bucket: bucket.count)


def fill_buckets(period: Period, now: datetime, series: Sequence[Mapping[str, Any]]) -> list[Bucket]:
    """Every bucket of the period, with zeros where the series has none."""
    known = {from_iso(point["at"]): point for point in series}
    names = ("count", "success_count", "failed_count", "amount")
    return [Bucket(at, *(int(known.get(at, {}).get(name) or 0) for name in names)) for at in period.starts(now)]


def draw(buckets: list[Bucket]) -> Chart:
    top = nice_ceiling(max((bucket.count for bucket in buckets), default=0))
    slot = WIDTH / max(len(buckets), 1)
    columns: list[list[Bar]] = []
    for index, bucket in enumerate(buckets):
        left = index * slot + slot * _GAP_SHARE / 2
        base = float(HEIGHT)
        column: list[Bar] = []
        parts: tuple[tuple[Literal["success", "failed", "other"], int], ...] = (
            ("success", bucket.success_count),
            ("failed", bucket.failed_count),
            ("other", bucket.other_count),
        )
        for kind, value in parts:
            if value:
                height = value / top * HEIGHT
                base -= height
                column.append(Bar(kind, round(left, 2), round(base, 2), round(slot * (1 - _GAP_SHARE), 2), height))
        columns.append(column)
    return Chart(buckets, columns, [top, top // 2, 0], *_rate_marks(buckets, slot))


def nice_ceiling(value: int) -> int:
    """The smallest even number of the form 1, 2, 2.5 or 5 times a power of ten that is not below `value`."""
    power = 1
    while True:
        for step in _NICE:
            candidate = int(step * power)
            if candidate >= max(value, 2) and candidate % 2 == 0:
                return candidate
        power *= 10


def _rate_marks(buckets: list[Bucket], slot: float) -> tuple[list[str], list[tuple[float, float]]]:
    """Lines between neighbours that both have a rate, and a dot for each that stands alone."""
    lines: list[list[tuple[float, float]]] = []
    current: list[tuple[float, float]] = []
    for index, bucket in enumerate(buckets):
        if bucket.rate is None:
            if current:
                lines.append(current)
            current = []
            continue
        current.append((round((index + 0.5) * slot, 2), round(HEIGHT * (1 - bucket.rate), 2)))
    if current:
        lines.append(current)
    texts = [" ".join(f"{x},{y}" for x, y in line) for line in lines if len(line) > 1]
    return texts, [line[0] for line in lines if len(line) == 1]
