"""The cap of one endpoint, and the lane that keeps to it."""

from __future__ import annotations

from webhooks.delivery.lanes import Lane
from webhooks.domain.concurrency import LEAST, MOST, START, ConcurrencyCap


def test_fast_answers_raise_the_cap_to_the_most() -> None:
    cap = ConcurrencyCap()
    for _ in range(1000):
        cap.record(0.01, is_success=True)
    assert cap.slots == MOST


def test_slow_answers_and_429_lower_it_to_the_least() -> None:
    slow, refused = ConcurrencyCap(), ConcurrencyCap()
    for _ in range(10):
        slow.record(5.0, is_success=False)
        refused.record(0.01, is_success=False, asks_for_less=True)
    assert slow.slots == refused.slots == LEAST


def test_fast_failures_change_nothing() -> None:
    cap = ConcurrencyCap()
    cap.record(0.01, is_success=False)
    assert cap.slots == START


def test_a_lane_gives_no_more_slots_than_its_cap() -> None:
    lane = Lane("we_a")
    assert lane.reserve(START + 5) == START
    assert lane.has_backlog
    assert lane.reserve(1) == 0
    lane.release(3)
    assert lane.free == 3


def test_a_paused_lane_gives_none() -> None:
    lane = Lane("we_a")
    lane.pause(60)
    assert lane.reserve(1) == 0
    assert lane.has_backlog
