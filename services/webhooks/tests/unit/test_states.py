"""The delivery's life cycle, every pair of state and event; and what an answer makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from webhooks.domain.schedule import Schedules
from webhooks.domain.settlement import AttemptKind, Settlement, settle
from webhooks.domain.states import TRANSITIONS, DeliveryEvent, DeliveryStatus, next_status

S, E, K = DeliveryStatus, DeliveryEvent, AttemptKind
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("status", "event"), list(product(S, E)))
def test_only_the_table_changes_a_state(status: DeliveryStatus, event: DeliveryEvent) -> None:
    assert next_status(status, event) == TRANSITIONS.get((status, event))
    if event in (E.ANSWERED, E.REFUSED, E.EXHAUSTED, E.STOPPED) and status is not S.PENDING:
        assert next_status(status, event) is None  # a late word about something settled


def _settle(
    kind: AttemptKind, status: DeliveryStatus, attempts: int, code: int | None, retry_after: timedelta | None = None
) -> Settlement:
    return settle(
        kind,
        status,
        attempts,
        is_success=code is not None and 200 <= code < 300,
        response_code=code,
        schedule=Schedules(with_test_intervals=True).named("default"),
        ended_at=NOW,
        retry_after=retry_after,
    )


def test_success_settles() -> None:
    assert _settle(K.SCHEDULED, S.PENDING, 0, 204) == Settlement(S.SUCCESS, None, 1, None)


@pytest.mark.parametrize(("attempts", "delay"), [(0, 5), (1, 10), (2, 15), (3, 20)])
def test_a_failure_waits_for_its_turn(attempts: int, delay: int) -> None:
    expected = Settlement(S.PENDING, None, attempts + 1, NOW + timedelta(seconds=delay))
    assert _settle(K.SCHEDULED, S.PENDING, attempts, 500) == expected
    assert _settle(K.SCHEDULED, S.PENDING, attempts, None) == expected
    assert _settle(K.SCHEDULED, S.PENDING, attempts, 302) == expected


def test_the_fifth_failure_is_the_last() -> None:
    settled = _settle(K.SCHEDULED, S.PENDING, 4, 500)
    assert (settled.status, settled.reason, settled.attempts, settled.is_exhausted) == (S.FAILED, "exhausted", 5, True)


@pytest.mark.parametrize("kind", list(K))
def test_410_stops_at_once(kind: AttemptKind) -> None:
    settled = _settle(kind, S.PENDING, 0, 410)
    assert (settled.status, settled.reason, settled.endpoint_is_gone) == (S.FAILED, "gone", True)


def test_a_failed_probe_changes_nothing() -> None:
    assert _settle(K.PROBE, S.FAILED, 5, 500) == Settlement(S.FAILED, "exhausted", 5, None)
    assert _settle(K.PROBE, S.PENDING, 1, None) == Settlement(S.PENDING, "held", 1, None)


def test_recovery_succeeds_or_fails_for_good() -> None:
    assert _settle(K.RECOVERY, S.FAILED, 5, 200).status is S.SUCCESS
    assert _settle(K.RECOVERY, S.PENDING, 0, 200).status is S.SUCCESS
    assert _settle(K.RECOVERY, S.PENDING, 0, 500).reason == "exhausted_again"


def test_retry_after_lengthens() -> None:
    settled = _settle(K.SCHEDULED, S.PENDING, 0, 429, timedelta(seconds=8))
    assert settled.next_retry_at == NOW + timedelta(seconds=8)
