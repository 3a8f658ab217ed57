"""The breaker: when it opens, how it probes, when it recovers, and what counts as missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from webhooks.domain.breaker import Breaker, BreakerRules, BreakerState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RULES = BreakerRules(
    failures=3, failing_for=60 * SECOND, first_probe_after=30 * SECOND, longest_probe_pause=300 * SECOND, stumbles=2
)


def _failed(breaker: Breaker, times: int, now: datetime) -> Breaker:
    for _ in range(times):
        breaker = breaker.after_failure(now, now, RULES)
    return breaker


def _open() -> Breaker:
    return _failed(_failed(Breaker(), 2, NOW), 1, NOW + 60 * SECOND)


def test_many_failures_in_a_moment_do_not_open_it() -> None:
    assert _failed(Breaker(), 50, NOW).state is BreakerState.CLOSED


def test_many_failures_that_last_open_it() -> None:
    opened = _open()
    assert opened.is_open
    assert opened.missing_since == NOW
    assert opened.next_probe_at == NOW + 90 * SECOND


def test_one_success_forgets_failures() -> None:
    assert _failed(Breaker(), 50, NOW).after_success() == Breaker()


def test_probe_pauses_double_up_to_the_longest() -> None:
    breaker, pauses = _open(), []
    for _ in range(5):
        breaker = breaker.after_failed_probe(NOW, RULES)
        assert breaker.next_probe_at is not None
        pauses.append((breaker.next_probe_at - NOW) / SECOND)
    assert pauses == [60, 120, 240, 300, 300]


def test_a_success_while_open_starts_recovery_and_its_end_closes() -> None:
    recovering = _open().after_success()
    assert recovering.state is BreakerState.RECOVERING
    assert recovering.missing_since == NOW
    assert recovering.after_success().state is BreakerState.RECOVERING
    assert recovering.after_recovery() == Breaker()


def test_stumbling_opens_again_and_keeps_what_is_missing() -> None:
    recovering = _open().after_success()
    once = recovering.after_stumble(NOW, RULES)
    assert once.state is BreakerState.RECOVERING
    assert once.after_success().after_stumble(NOW, RULES).state is BreakerState.RECOVERING  # a success in between
    twice = once.after_stumble(NOW, RULES)
    assert twice.is_open
    assert (twice.is_missing, twice.missing_since) == (True, NOW)


def test_a_schedule_that_ran_out_in_silence_is_an_outage() -> None:
    failing = _failed(Breaker(), 1, NOW)
    missed = failing.after_exhaustion(NOW - SECOND, NOW + 50 * SECOND, RULES)
    assert (missed.state, missed.is_missing) == (BreakerState.CLOSED, True)
    assert missed.next_probe_at == NOW + 80 * SECOND


def test_one_poisonous_delivery_is_no_outage() -> None:
    # The endpoint answered others after this delivery's first attempt: it is this delivery that it does not like.
    failing = _failed(Breaker(), 1, NOW + 40 * SECOND)
    assert not failing.after_exhaustion(NOW, NOW + 50 * SECOND, RULES).is_missing


def test_a_new_url_sends_what_was_held_there() -> None:
    moved = _open().after_new_url(NOW + 100 * SECOND)
    assert (moved.state, moved.missing_since) == (BreakerState.RECOVERING, NOW + 100 * SECOND)
    assert Breaker().after_new_url(NOW) == Breaker()
