from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dashboard.domain.charts import HEIGHT, PERIODS, Bucket, draw, fill_buckets, nice_ceiling

NOW = datetime(2026, 3, 1, 15, 45, tzinfo=UTC)


def test_every_bucket_is_there_and_the_last_holds_now() -> None:
    series = [{"at": "2026-03-01T00:00:00.000Z", "count": 5, "success_count": 3, "failed_count": 1, "amount": 900}]
    buckets = fill_buckets(PERIODS["7d"], NOW, series)
    assert [bucket.at.day for bucket in buckets] == [23, 24, 25, 26, 27, 28, 1]
    assert [bucket.count for bucket in buckets] == [0] * 6 + [5]
    assert buckets[-1].rate == 0.75
    assert buckets[-1].other_count == 1


def test_hours_end_with_the_current_one() -> None:
    starts = PERIODS["24h"].starts(NOW)
    assert (starts[0].day, starts[0].hour, starts[-1].hour) == (28, 16, 15)


def test_columns_add_up_to_the_count() -> None:
    chart = draw([Bucket(NOW, 10, 6, 3, 0), Bucket(NOW, 0, 0, 0, 0)])
    first, second = chart.columns
    assert second == []
    assert sum(bar.height for bar in first) == pytest.approx(10 / chart.ticks[0] * HEIGHT)
    assert first[-1].y == pytest.approx(HEIGHT - sum(bar.height for bar in first))
    assert [bar.kind for bar in first] == ["success", "failed", "other"]


def test_days_without_payments_break_the_rate_line() -> None:
    done, empty = Bucket(NOW, 1, 1, 0, 0), Bucket(NOW, 0, 0, 0, 0)
    chart = draw([done, done, empty, done])
    assert len(chart.rate_lines) == 1
    assert len(chart.rate_dots) == 1


@pytest.mark.parametrize(
    ("value", "top"), [(0, 2), (1, 2), (3, 10), (11, 20), (21, 50), (140, 200), (999_999, 1_000_000)]
)
def test_axis_ends_at_a_round_even_number(value: int, top: int) -> None:
    assert nice_ceiling(value) == top
