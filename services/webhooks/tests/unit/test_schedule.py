"""Retry times: the table of EVENTS.md, and what Retry-After may do to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest

from gateway_common.broker.topology import WEBHOOK_DELAY_SECONDS
from webhooks.delivery.wakeups import delay_level
from webhooks.domain.schedule import Schedules, next_attempt_at, read_retry_after

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("name", "is_test", "delays"),
    [
        ("default", False, (0, 60, 300, 1800, 7200)),
        ("default", True, (0, 5, 10, 15, 20)),
        ("extended", False, (0, 60, 300, 1800, 7200, 21600, 43200, 86400)),
        ("extended", True, (0, 5, 10, 15, 20, 20, 20, 20)),
    ],
)
def test_schedules(name: str, is_test: bool, delays: tuple[int, ...]) -> None:
    schedule = Schedules(is_test).named(name)
    assert schedule.delays == delays
    assert schedule.delay_after(len(delays)) is None
    # Every pause has a delay queue of its own.
    assert all(delay_level(timedelta(seconds=delay)) == delay for delay in delays[1:])
    assert list(accumulate(delays))[-1] == sum(delays)


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        (None, None),
        ("30", timedelta(seconds=30)),
        ("0", timedelta(0)),
        ("999999999999999", HOUR),
        ("Thu, 01 Jan 2026 12:10:00 GMT", timedelta(minutes=10)),
        ("Thu, 01 Jan 2026 11:00:00 GMT", timedelta(0)),
        ("Fri, 02 Jan 2026 11:00:00 GMT", HOUR),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("٣", None),
    ],
)
def test_retry_after(header: str | None, pause: timedelta | None) -> None:
    assert read_retry_after(header, NOW, HOUR) == pause


def test_retry_after_lengthens_and_never_shortens() -> None:
    schedule = Schedules().named("default")
    assert next_attempt_at(schedule, 1, NOW, timedelta(seconds=5)) == NOW + timedelta(seconds=60)
    assert next_attempt_at(schedule, 1, NOW, timedelta(seconds=90)) == NOW + timedelta(seconds=90)
    assert next_attempt_at(schedule, 5, NOW, timedelta(seconds=90)) is None


def test_a_pause_without_a_queue_is_left_to_the_sweeper() -> None:
    assert delay_level(timedelta(seconds=90)) is None
    assert delay_level(timedelta(seconds=59.5)) == 60
    assert delay_level(timedelta(seconds=60.1)) is None
    assert set(WEBHOOK_DELAY_SECONDS) >= {60, 300, 1800, 7200, 21600, 43200, 86400}
